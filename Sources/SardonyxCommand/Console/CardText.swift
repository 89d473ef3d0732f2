import Detection
import Foundation

/// A card as JSON for people: one line a part, keys in the order of the schema, long lists wrapped.
enum CardText {
    private static let width = 118
    private static let order = [
        "name", "decoder", "description", "source", "license", "command", "measured", "input", "outputs",
    ]
    private static let last = ["thresholds", "labels", "category_ids"]
    private static let inputOrder = [
        "name", "geometry", "width", "height", "short_side", "long_side", "stride", "align", "rounding", "padding",
        "channels", "mean", "std",
    ]

    static func text(_ card: ModelCard) throws -> String {
        let encoded = try JSONEncoder().encode(card)
        let parts = try JSONDecoder().decode([String: CardTree].self, from: encoded)
        let keys = order + [card.decoder] + last
        let isCounted = card.categoryIDs == Array(1...card.categoryIDs.count)
        let lines = keys.compactMap { key -> String? in
            guard let part = parts[key], key != "category_ids" || !isCounted else { return nil }
            let start = "  \(quoted(key)): "
            let line = start + part.text(order: inputOrder)
            guard line.count > width, case .list(let items) = part else { return line }
            return start + wrapped(items.map { $0.text(order: inputOrder) })
        }
        return "{\n" + lines.joined(separator: ",\n") + "\n}"
    }

    private static func wrapped(_ items: [String]) -> String {
        var lines = [""]
        for (index, item) in items.enumerated() {
            let piece = item + (index + 1 < items.count ? "," : "")
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = piece
            } else if last.count + piece.count + 5 > width {
                lines.append(piece)
            } else {
                lines[lines.count - 1] = last + " " + piece
            }
        }
        return "[\n" + lines.map { "    " + $0 }.joined(separator: "\n") + "\n  ]"
    }

    static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}

/// Any JSON that a card holds.
private enum CardTree: Decodable {
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([CardTree])
    case object([String: CardTree])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let items = try? container.decode([CardTree].self) {
            self = .list(items)
        } else {
            self = .object(try container.decode([String: CardTree].self))
        }
    }

    /// On one line.
    /// - Parameter order: keys that come first, in this order; the others follow by name.
    func text(order: [String]) -> String {
        switch self {
        case .flag(let flag): return "\(flag)"
        case .number(let number): return Int(exactly: number).map(String.init) ?? "\(number)"
        case .text(let text): return CardText.quoted(text)
        case .list(let items): return "[" + items.map { $0.text(order: order) }.joined(separator: ", ") + "]"
        case .object(let members):
            let keys = order.filter { members[$0] != nil } + members.keys.filter { !order.contains($0) }.sorted()
            return "{"
                + keys.compactMap { key in
                    members[key].map { "\(CardText.quoted(key)): \($0.text(order: order))" }
                }.joined(separator: ", ") + "}"
        }
    }
}
