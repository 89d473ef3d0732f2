/// Finds what two sequences have in common, in order.
enum SequenceAlignment {
    /// Where a table of all pairs is small enough for the longest common subsequence.
    private static let mostPairs = 1 << 20

    /// Pairs of indices whose tokens are equal, both ascending. Between tokens that occur once in both sequences and,
    /// where few are left, a longest common subsequence; long stretches without such tokens are left alone.
    static func pairs(_ a: [Int], _ b: [Int]) -> [(Int, Int)] {
        var found: [(Int, Int)] = []
        align(a[...], b[...], &found)
        return found
    }

    private static func align(_ a: ArraySlice<Int>, _ b: ArraySlice<Int>, _ found: inout [(Int, Int)]) {
        var (a, b) = (a, b)
        while let first = a.first, first == b.first {
            found.append((a.startIndex, b.startIndex))
            a.removeFirst()
            b.removeFirst()
        }
        var tail: [(Int, Int)] = []
        while let last = a.last, last == b.last {
            a.removeLast()
            b.removeLast()
            tail.append((a.endIndex, b.endIndex))
        }
        defer { found += tail.reversed() }
        guard !a.isEmpty, !b.isEmpty else { return }
        if a.count <= mostPairs / b.count {
            longest(a, b, &found)
            return
        }
        let anchors = ascending(unique(a, b))
        guard !anchors.isEmpty else { return }
        var (i, j) = (a.startIndex, b.startIndex)
        for (anchorA, anchorB) in anchors {
            align(a[i..<anchorA], b[j..<anchorB], &found)
            found.append((anchorA, anchorB))
            (i, j) = (anchorA + 1, anchorB + 1)
        }
        align(a[i...], b[j...], &found)
    }

    /// A longest common subsequence.
    private static func longest(_ a: ArraySlice<Int>, _ b: ArraySlice<Int>, _ found: inout [(Int, Int)]) {
        let width = b.count + 1
        var lengths = [Int32](repeating: 0, count: (a.count + 1) * width)
        for i in stride(from: a.count - 1, through: 0, by: -1) {
            for j in stride(from: b.count - 1, through: 0, by: -1) {
                let isEqual = a[a.startIndex + i] == b[b.startIndex + j]
                lengths[i * width + j] =
                    isEqual
                    ? lengths[(i + 1) * width + j + 1] + 1
                    : max(lengths[(i + 1) * width + j], lengths[i * width + j + 1])
            }
        }
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            if a[a.startIndex + i] == b[b.startIndex + j] {
                found.append((a.startIndex + i, b.startIndex + j))
                (i, j) = (i + 1, j + 1)
            } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
                i += 1
            } else {
                j += 1
            }
        }
    }

    /// Indices of tokens that occur once in each, by the first.
    private static func unique(_ a: ArraySlice<Int>, _ b: ArraySlice<Int>) -> [(Int, Int)] {
        func places(_ tokens: ArraySlice<Int>) -> [Int: Int?] {
            var places: [Int: Int?] = [:]
            for (index, token) in zip(tokens.indices, tokens) {
                places[token] = places.keys.contains(token) ? .some(nil) : index
            }
            return places
        }
        let (inA, inB) = (places(a), places(b))
        return a.indices.compactMap { index in
            guard case .some(.some(index)) = inA[a[index]], case .some(.some(let other)) = inB[a[index]] else {
                return nil
            }
            return (index, other)
        }
    }

    /// A longest run of pairs, ascending by the first, that also ascends by the second.
    private static func ascending(_ pairs: [(Int, Int)]) -> [(Int, Int)] {
        // The pair that ends the best run of each length, and the pair before each.
        var ends: [Int] = []
        var before = [Int?](repeating: nil, count: pairs.count)
        for (index, pair) in pairs.enumerated() {
            var (low, high) = (0, ends.count)
            while low < high {
                let middle = (low + high) / 2
                if pairs[ends[middle]].1 < pair.1 { low = middle + 1 } else { high = middle }
            }
            if low > 0 { before[index] = ends[low - 1] }
            if low < ends.count { ends[low] = index } else { ends.append(index) }
        }
        var run: [(Int, Int)] = []
        var next = ends.last
        while let index = next {
            run.append(pairs[index])
            next = before[index]
        }
        return run.reversed()
    }
}
