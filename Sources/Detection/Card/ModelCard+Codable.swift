import TensorCore

/// A key of a JSON object, whatever its name.
struct CardKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// One object of a card: reads its values by key and says in errors which key was wrong.
private struct CardObject {
    let container: KeyedDecodingContainer<CardKey>
    let path: String

    init(_ decoder: any Decoder, at path: String) throws(SardonyxError) {
        do { container = try decoder.container(keyedBy: CardKey.self) } catch {
            throw .card(path, "not an object")
        }
        self.path = path
    }

    func refuseKeys(beyond allowed: [String]) throws(SardonyxError) {
        let unknown = container.allKeys.map(\.stringValue).filter { !allowed.contains($0) }.sorted()
        if let first = unknown.first {
            throw .card(full(first), "unknown key", allowed: allowed.joined(separator: ", "))
        }
    }

    func optional<Value: Decodable>(_ key: String, _ type: Value.Type = Value.self) throws(SardonyxError) -> Value? {
        do { return try container.decodeIfPresent(Value.self, forKey: CardKey(key)) } catch let error as SardonyxError {
            throw error
        } catch {
            throw .card(full(key), "wrong type", allowed: CardObject.name(of: type))
        }
    }

    func required<Value: Decodable>(_ key: String, _ type: Value.Type = Value.self) throws(SardonyxError) -> Value {
        guard let value = try optional(key, type) else { throw .card(full(key), "missing") }
        return value
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ key: String, default fallback: Value) throws(SardonyxError)
        -> Value
    where Value.RawValue == String {
        guard let text = try optional(key, String.self) else { return fallback }
        guard let value = Value(rawValue: text) else {
            throw .card(
                full(key), "unknown value", got: "\"\(text)\"",
                allowed: Value.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Int.Type: "a whole number"
        case is Float.Type, is Double.Type: "a number"
        case is [Float].Type: "a list of numbers"
        case is [Int].Type: "a list of whole numbers"
        case is [String].Type: "a list of strings"
        case is [String: String].Type: "an object of strings"
        case is [String: Double].Type: "an object of numbers"
        case is [String: CardValue].Type: "an object of numbers, strings, flags or lists"
        default: "an object"
        }
    }
}

extension ModelCard: Codable {
    private static let keys = [
        "name", "decoder", "description", "source", "license", "command", "measured", "input", "outputs", "thresholds",
        "labels", "category_ids",
    ]

    public init(from decoder: any Decoder) throws {
        let object = try CardObject(decoder, at: "")
        let detector = try object.required("decoder", String.self)
        guard !Self.keys.contains(detector) else {
            throw SardonyxError.card("decoder", "not a detector", got: "\"\(detector)\"")
        }
        try object.refuseKeys(beyond: Self.keys + [detector])
        try self.init(
            name: object.required("name"), decoder: detector,
            description: object.optional("description"), source: object.optional("source"),
            license: object.optional("license"), command: object.optional("command"),
            measured: object.optional("measured") ?? [:],
            input: object.required("input"), outputs: object.required("outputs"),
            parameters: object.optional(detector) ?? [:],
            thresholds: object.optional("thresholds") ?? Thresholds(),
            labels: object.required("labels"), categoryIDs: object.optional("category_ids"))
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CardKey.self)
        try object.encode(name, forKey: CardKey("name"))
        try object.encode(decoder, forKey: CardKey("decoder"))
        try object.encodeIfPresent(description, forKey: CardKey("description"))
        try object.encodeIfPresent(source, forKey: CardKey("source"))
        try object.encodeIfPresent(license, forKey: CardKey("license"))
        try object.encodeIfPresent(command, forKey: CardKey("command"))
        if !measured.isEmpty { try object.encode(measured, forKey: CardKey("measured")) }
        try object.encode(input, forKey: CardKey("input"))
        try object.encode(outputs, forKey: CardKey("outputs"))
        if !parameters.isEmpty { try object.encode(parameters, forKey: CardKey(decoder)) }
        try object.encode(thresholds, forKey: CardKey("thresholds"))
        try object.encode(labels, forKey: CardKey("labels"))
        try object.encode(categoryIDs, forKey: CardKey("category_ids"))
    }
}

extension ModelCard.Input: Codable {
    public init(from decoder: any Decoder) throws {
        let object = try CardObject(decoder, at: "input")
        try object.refuseKeys(beyond: ["name", "width", "height", "geometry", "channels", "mean", "std"])
        try self.init(
            name: object.optional("name"), width: object.required("width"), height: object.required("height"),
            geometry: object.choice("geometry", default: .stretch), channels: object.choice("channels", default: .rgb),
            mean: object.required("mean"), std: object.required("std"))
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CardKey.self)
        try object.encodeIfPresent(name, forKey: CardKey("name"))
        try object.encode(width, forKey: CardKey("width"))
        try object.encode(height, forKey: CardKey("height"))
        try object.encode(geometry.rawValue, forKey: CardKey("geometry"))
        try object.encode(channels.rawValue, forKey: CardKey("channels"))
        try object.encode(mean, forKey: CardKey("mean"))
        try object.encode(std, forKey: CardKey("std"))
    }
}

extension ModelCard.Thresholds: Codable {
    public init(from decoder: any Decoder) throws {
        let object = try CardObject(decoder, at: "thresholds")
        try object.refuseKeys(beyond: ["score", "top_k"])
        try self.init(score: object.optional("score") ?? 0.15, topK: object.optional("top_k") ?? 100)
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CardKey.self)
        try object.encode(score, forKey: CardKey("score"))
        try object.encode(topK, forKey: CardKey("top_k"))
    }
}
