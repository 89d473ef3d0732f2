import TensorCore

extension CardSection {
    /// One of a fixed set of words, as its `rawValue`; `nil` when the key is absent.
    func choice<Value: RawRepresentable & CaseIterable>(_ key: String) throws(SardonyxError) -> Value?
    where Value.RawValue == String {
        guard let value = value(key) else { return nil }
        let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
        guard case .text(let text) = value, let choice = Value(rawValue: text) else {
            throw wrong(key, value, allowed)
        }
        return choice
    }

    /// A whole number from 0 to the most labels that a card may have.
    func index(_ key: String) throws(SardonyxError) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .number(let number) = value, let index = Int(exactly: number),
            (0...ModelCard.maximumLabels).contains(index)
        else {
            throw wrong(key, value, "a whole number from 0 to \(ModelCard.maximumLabels)")
        }
        return index
    }
}
