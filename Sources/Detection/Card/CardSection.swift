import TensorCore

/// A detector's section of a card, read by key.
struct CardSection {
    private let name: String
    private let values: [String: CardValue]

    init(_ name: String, _ values: [String: CardValue]) {
        self.name = name
        self.values = values
    }

    func refuseKeys(beyond allowed: [String]) throws(SardonyxError) {
        if let unknown = values.keys.filter({ !allowed.contains($0) }).min() {
            throw .card("\(name).\(unknown)", "unknown key", allowed: allowed.joined(separator: ", "))
        }
    }

    /// Exactly `count` finite numbers.
    func numbers(_ key: String, count: Int) throws(SardonyxError) -> [Float]? {
        guard let value = values[key] else { return nil }
        guard case .list(let items) = value, items.count == count else { throw wrong(key, value, "\(count) numbers") }
        var numbers: [Float] = []
        for item in items {
            guard case .number(let number) = item, Float(number).isFinite else {
                throw wrong(key, value, "\(count) numbers")
            }
            numbers.append(Float(number))
        }
        return numbers
    }

    /// A number from 0 to 1.
    func fraction(_ key: String) throws(SardonyxError) -> Float? {
        guard let value = values[key] else { return nil }
        guard case .number(let number) = value, (0...1).contains(number) else { throw wrong(key, value, "0 to 1") }
        return Float(number)
    }

    /// A whole number, 1 or more.
    func count(_ key: String) throws(SardonyxError) -> Int? {
        guard let value = values[key] else { return nil }
        guard case .number(let number) = value, let count = Int(exactly: number), count >= 1 else {
            throw wrong(key, value, "a whole number, 1 or more")
        }
        return count
    }

    func value(_ key: String) -> CardValue? { values[key] }

    func wrong(_ key: String, _ value: CardValue, _ allowed: String) -> SardonyxError {
        .card("\(name).\(key)", "out of range", got: "\(value)", allowed: allowed)
    }
}
