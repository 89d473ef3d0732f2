import TensorCore

/// The best candidates above a threshold, gathered in the order of their ordinals; of equal scores the earlier stay.
///
/// Holds a few times the limit at most: whenever it is full the rest is dropped and the floor rises.
struct BestCandidates {
    private let limit: Int
    private let capacity: Int
    private var keys: [UInt64] = []
    /// Scores at or below need not be added.
    private(set) var floor: Float

    /// - Parameters:
    ///   - limit: at least 1.
    ///   - anchors: ordinals are below `anchors` · `classes`.
    /// - Throws: `limit` when ordinals cannot tell so many apart.
    init(limit: Int, above threshold: Float, anchors: Int, classes: Int) throws(SardonyxError) {
        try CandidateKey.requireOrdinals(for: anchors, "anchors", classes: classes, at: "NMS")
        self.limit = limit
        capacity = limit <= 1 << 20 ? max(4 * limit, 256) : .max
        floor = threshold
    }

    /// - Parameter ordinal: 0 to `CandidateKey.maximumOrdinal`, above those before.
    mutating func add(_ score: Float, ordinal: Int) {
        guard score > floor else { return }
        keys.append(CandidateKey.make(score, ordinal: ordinal, reversed: false))
        guard keys.count == capacity else { return }
        keys.sort(by: >)
        keys.removeLast(keys.count - limit)
        floor = CandidateKey.score(keys[limit - 1])
    }

    /// Adds what is above the floor of `count` values, the first of which has the ordinal `first`.
    mutating func add(_ values: UnsafePointer<Float>, count: Int, first: Int) {
        var start = 0
        while start < count {
            let end = min(start + 64, count)
            if BestCandidates.isAny(of: values + start, end - start, above: floor) {
                for index in start..<end where values[index] > floor { add(values[index], ordinal: first + index) }
            }
            start = end
        }
    }

    /// Without branches, so that it is done by vectors.
    private static func isAny(of values: UnsafePointer<Float>, _ count: Int, above floor: Float) -> Bool {
        var found: Int32 = 0
        for index in 0..<count { found |= values[index] > floor ? 1 : 0 }
        return found != 0
    }

    /// Scores and ordinals, best first; of equal scores the earlier first.
    consuming func best() -> [(score: Float, ordinal: Int)] {
        keys.sort(by: >)
        return keys.prefix(limit).map { (CandidateKey.score($0), CandidateKey.ordinal($0, reversed: false)) }
    }
}
