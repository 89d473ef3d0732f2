import TensorCore

/// A candidate's score and ordinal in one number that sorts by score, best largest, then by ordinal.
enum CandidateKey {
    /// The most candidates that ordinals can tell apart.
    static let maximumOrdinal = Int(UInt32.max)

    /// - Throws: `limit`, said of `place`, for more (row, class) pairs than that.
    static func requireOrdinals(
        for rows: Int, _ unit: String, classes: Int, at place: String
    ) throws(SardonyxError) {
        guard let pairs = CheckedSize.product(rows, classes), pairs <= maximumOrdinal else {
            throw SardonyxError(
                .limit, place, "candidates", got: "\(rows) \(unit) of \(classes) classes",
                allowed: "at most \(maximumOrdinal) pairs")
        }
    }

    /// - Parameters:
    ///   - score: not NaN.
    ///   - ordinal: 0 to `maximumOrdinal`.
    ///   - reversed: of equal scores the higher ordinal sorts first.
    static func make(_ score: Float, ordinal: Int, reversed: Bool) -> UInt64 {
        let bits = (score + 0).bitPattern
        // Sign and magnitude become an unsigned number in the same order.
        let ordered = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
        let rank = UInt32(truncatingIfNeeded: ordinal)
        return UInt64(ordered) << 32 | UInt64(reversed ? rank : ~rank)
    }

    static func score(_ key: UInt64) -> Float {
        let ordered = UInt32(truncatingIfNeeded: key >> 32)
        return Float(bitPattern: ordered >> 31 == 1 ? ordered & 0x7FFF_FFFF : ~ordered)
    }

    static func ordinal(_ key: UInt64, reversed: Bool) -> Int {
        let rank = UInt32(truncatingIfNeeded: key)
        return Int(reversed ? rank : ~rank)
    }
}

/// A binary heap that gives its keys largest first: linear to build, so cheap where few of many are asked for.
struct CandidateQueue {
    private var keys: [UInt64]

    init(_ keys: [UInt64]) {
        self.keys = keys
        for root in (0..<keys.count / 2).reversed() { sink(from: root) }
    }

    mutating func popLargest() -> UInt64? {
        guard let largest = keys.first, let last = keys.popLast() else { return nil }
        if !keys.isEmpty {
            keys[0] = last
            sink(from: 0)
        }
        return largest
    }

    private mutating func sink(from root: Int) {
        keys.withUnsafeMutableBufferPointer { keys in
            let key = keys[root]
            var hole = root
            while true {
                var child = 2 * hole + 1
                guard child < keys.count else { break }
                if child + 1 < keys.count, keys[child + 1] > keys[child] { child += 1 }
                guard keys[child] > key else { break }
                keys[hole] = keys[child]
                hole = child
            }
            keys[hole] = key
        }
    }
}

extension CandidateQueue {
    /// Ordinals of the best keys, made with `reversed: false`, best first.
    static func best(_ limit: Int, of keys: [UInt64]) -> [Int] {
        var queue = CandidateQueue(keys)
        var ordinals: [Int] = []
        while ordinals.count < limit, let key = queue.popLargest() {
            ordinals.append(CandidateKey.ordinal(key, reversed: false))
        }
        return ordinals
    }
}
