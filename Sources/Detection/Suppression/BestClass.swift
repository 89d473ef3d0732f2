/// Each anchor's best class, where it is above a threshold: the first of equal ones, never a NaN.
enum BestClass {
    /// Anchors that one thread takes at a time; their best scores stay in the first-level cache.
    private static let block = 1024

    /// - Parameters:
    ///   - values: `[classes, anchors]`.
    ///   - floor: values at or below are left out.
    /// - Returns: in the order of the anchors, the value as the score.
    static func ofPlanes(
        _ values: UnsafePointer<Float>, classes: Int, anchors: Int, above floor: Float, threads: Int
    ) -> [Candidate] {
        inBlocks(of: anchors, values, threads: threads) { values, range in
            scan(values + range.lowerBound, classes: classes, step: anchors, range, floor: floor)
        }
    }

    /// - Parameters:
    ///   - values: `[anchors, step]`: objectness, then the classes, then what else there is.
    ///   - threshold: products of both at or below are left out; both are at most 1.
    ///   - logits: the values go through a sigmoid first.
    /// - Returns: in the order of the anchors.
    static func ofRows(
        _ values: UnsafePointer<Float>, classes: Int, anchors: Int, step: Int, above threshold: Float, logits: Bool,
        threads: Int
    ) -> [Candidate] {
        let floor = logits ? Sigmoid.floor(of: threshold) : threshold
        return inBlocks(of: anchors, values, threads: threads) { values, range in
            var found: [Candidate] = []
            for anchor in range {
                let row = values + anchor * step
                guard row[0] > floor else { continue }
                var (best, classIndex) = (-Float.infinity, -1)
                for index in 0..<classes where row[1 + index] > best {
                    (best, classIndex) = (row[1 + index], index)
                }
                guard best > floor else { continue }
                let score = logits ? Sigmoid.of(row[0]) * Sigmoid.of(best) : row[0] * best
                if score > threshold { found.append(Candidate(anchor: anchor, classIndex: classIndex, score: score)) }
            }
            return found
        }
    }

    private static func inBlocks(
        of anchors: Int, _ values: UnsafePointer<Float>, threads: Int,
        _ body: @Sendable (_ values: UnsafePointer<Float>, _ range: Range<Int>) -> [Candidate]
    ) -> [Candidate] {
        let count = (anchors + block - 1) / block
        var parts = [[Candidate]](repeating: [], count: count)
        parts.withUnsafeMutableBufferPointer { slots in
            // Every index writes its own slot.
            nonisolated(unsafe) let slots = slots
            nonisolated(unsafe) let values = values
            parallelFor(threads: min(threads, count), count: count) { index, _ in
                slots[index] = body(values, index * block..<min((index + 1) * block, anchors))
            }
        }
        return Array(parts.joined())
    }

    /// - Parameter values: `[classes, step]`, of which the first `range.count` columns belong to the anchors `range`.
    private static func scan(
        _ values: UnsafePointer<Float>, classes: Int, step: Int, _ range: Range<Int>, floor: Float
    ) -> [Candidate] {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { best in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: range.count) { index in
                best.initialize(repeating: floor)
                index.initialize(repeating: -1)
                guard let best = best.baseAddress, let index = index.baseAddress else { return [] }
                for classIndex in 0..<classes {
                    raise(
                        best, index, to: values + classIndex * step, Int32(truncatingIfNeeded: classIndex), range.count)
                }
                var found: [Candidate] = []
                for column in 0..<range.count where index[column] >= 0 {
                    found.append(
                        Candidate(
                            anchor: range.lowerBound + column, classIndex: Int(index[column]), score: best[column]))
                }
                return found
            }
        }
    }

    /// Without branches, so that it is done by vectors.
    private static func raise(
        _ best: UnsafeMutablePointer<Float>, _ index: UnsafeMutablePointer<Int32>, to row: UnsafePointer<Float>,
        _ classIndex: Int32, _ count: Int
    ) {
        for column in 0..<count {
            let value = row[column]
            let isBetter = value > best[column]
            best[column] = isBetter ? value : best[column]
            index[column] = isBetter ? classIndex : index[column]
        }
    }
}
