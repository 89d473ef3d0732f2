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
struct CardObject {
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

    func has(_ key: String) -> Bool { container.contains(CardKey(key)) }

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

    /// One of a fixed set of words, as its `rawValue`; `nil` when the key is absent.
    func choice<Value: RawRepresentable & CaseIterable>(_ key: String) throws(SardonyxError) -> Value?
    where Value.RawValue == String {
        guard let text = try optional(key, String.self) else { return nil }
        guard let value = Value(rawValue: text) else {
            throw .card(
                full(key), "unknown value", got: "\"\(text)\"",
                allowed: Value.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

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
