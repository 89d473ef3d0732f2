import TensorCore

extension SardonyxError {
    /// An error about one key of a model card.
    static func card(_ key: String, _ what: String, got: String? = nil, allowed: String? = nil) -> SardonyxError {
        SardonyxError(.parse, "model card '\(key)'", what, got: got, allowed: allowed)
    }
}

extension ModelCard.Input {
    static let maximumSide = 16384

    func validate() throws(SardonyxError) {
        for (key, side) in geometry.sides where !(1...Self.maximumSide).contains(side) {
            throw .card("input.\(key)", "out of range", got: "\(side)", allowed: "1 to \(Self.maximumSide)")
        }
        if let padding, !(0...255).contains(padding) {
            throw .card("input.padding", "out of range", got: "\(padding)", allowed: "0 to 255")
        }
        for (key, values) in [("mean", mean), ("std", std)] {
            guard values.count == 3, values.allSatisfy(\.isFinite) else {
                throw .card("input.\(key)", "one value a channel", got: "\(values)", allowed: "3 finite numbers")
            }
        }
        guard std.allSatisfy({ $0 > 0 && (1 / $0).isFinite }) else {
            throw .card("input.std", "divisor", got: "\(std)", allowed: "positive numbers")
        }
    }
}

extension ModelCard.Input {
    /// - Throws: `parse` for a geometry that cuts parts of the picture off.
    func requireWholePicture(for decoder: String) throws(SardonyxError) {
        guard case .centerCrop = geometry else { return }
        throw .card(
            "input.geometry", "\(decoder) needs the whole picture", got: "\"\(geometry.name)\"",
            allowed: ImageGeometry.names.filter { $0 != geometry.name }.joined(separator: ", "))
    }
}

extension ModelCard.Thresholds {
    func validate() throws(SardonyxError) {
        guard score >= 0, score <= 1 else {
            throw .card("thresholds.score", "out of range", got: "\(score)", allowed: "0 to 1")
        }
        guard topK >= 1 else {
            throw .card("thresholds.top_k", "out of range", got: "\(topK)", allowed: "1 or more")
        }
    }
}

extension ModelCard {
    static let maximumLabels = 65536

    func validate() throws(SardonyxError) {
        for (key, text) in [("name", name), ("decoder", decoder)] where text.isEmpty {
            throw .card(key, "empty")
        }
        guard (1...Self.maximumLabels).contains(labels.count) else {
            throw .card("labels", "count", got: "\(labels.count)", allowed: "1 to \(Self.maximumLabels)")
        }
        guard categoryIDs.count == labels.count else {
            throw .card("category_ids", "count", got: "\(categoryIDs.count)", allowed: "\(labels.count), one a label")
        }
        guard Set(categoryIDs).count == categoryIDs.count else {
            throw .card("category_ids", "an identifier occurs twice")
        }
        if let role = outputs.keys.sorted().first(where: { outputs[$0]?.isEmpty == true }) {
            throw .card("outputs.\(role)", "empty")
        }
    }
}

extension ImageGeometry {
    /// The numbers that a card gives for it, by key.
    fileprivate var sides: [(String, Int)] {
        switch self {
        case .stretch(let width, let height): [("width", width), ("height", height)]
        case .letterbox(let box):
            [("width", box.width), ("height", box.height)] + (box.stride.map { [("stride", $0)] } ?? [])
        case .keepRatio(let shortSide, let longSide, let stride):
            [("short_side", shortSide), ("long_side", longSide), ("stride", stride)]
        case .centerCrop(let width, let height, let shortSide):
            [("width", width), ("height", height), ("short_side", shortSide)]
        case .original: []
        }
    }
}
