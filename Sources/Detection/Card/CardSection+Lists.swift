import TensorCore

extension CardSection {
    func flag(_ key: String) throws(SardonyxError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .flag(let flag) = value else { throw wrong(key, value, "true or false") }
        return flag
    }

    /// A finite number, 0 or more.
    func length(_ key: String) throws(SardonyxError) -> Float? {
        guard let value = value(key) else { return nil }
        guard case .number(let number) = value, Float(number).isFinite, number >= 0 else {
            throw wrong(key, value, "a number, 0 or more")
        }
        return Float(number)
    }

    /// One or more whole numbers, each 1 or more.
    func counts(_ key: String) throws(SardonyxError) -> [Int]? {
        guard let value = value(key) else { return nil }
        guard let counts = value.counts, !counts.isEmpty else {
            throw wrong(key, value, "a list of whole numbers, each 1 or more")
        }
        return counts
    }

    /// One or more lists of whole numbers, each 1 or more.
    func countLists(_ key: String) throws(SardonyxError) -> [[Int]]? {
        guard let value = value(key) else { return nil }
        let lists = value.items?.compactMap(\.counts)
        guard let lists, !lists.isEmpty, lists.count == value.items?.count else {
            throw wrong(key, value, "lists of whole numbers, each 1 or more")
        }
        return lists
    }

    /// One or more positive numbers.
    func lengths(_ key: String) throws(SardonyxError) -> [Float]? {
        guard let value = value(key) else { return nil }
        guard let lengths = value.lengths, !lengths.isEmpty else {
            throw wrong(key, value, "a list of positive numbers")
        }
        return lengths
    }

    /// One or more lists of positive numbers; a list may be empty.
    func lengthLists(_ key: String) throws(SardonyxError) -> [[Float]]? {
        guard let value = value(key) else { return nil }
        let lists = value.items?.compactMap(\.lengths)
        guard let lists, !lists.isEmpty, lists.count == value.items?.count else {
            throw wrong(key, value, "lists of positive numbers")
        }
        return lists
    }
}

extension CardValue {
    fileprivate var items: [CardValue]? {
        guard case .list(let items) = self else { return nil }
        return items
    }

    /// Whole numbers, each 1 or more; `nil` when this is no list or has others.
    fileprivate var counts: [Int]? {
        guard let items else { return nil }
        var counts: [Int] = []
        for item in items {
            guard case .number(let number) = item, let count = Int(exactly: number), count >= 1 else { return nil }
            counts.append(count)
        }
        return counts
    }

    /// Positive finite numbers; `nil` when this is no list or has others.
    fileprivate var lengths: [Float]? {
        guard let items else { return nil }
        var lengths: [Float] = []
        for item in items {
            guard case .number(let number) = item, Float(number).isFinite, Float(number) > 0 else { return nil }
            lengths.append(Float(number))
        }
        return lengths
    }
}
