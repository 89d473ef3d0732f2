import TensorCore

/// Offsets in one block of memory for boxes that live during ranges of steps.
package struct ArenaLayout: Sendable {
    package struct Box: Sendable {
        package var byteCount: Int
        package var steps: ClosedRange<Int>

        package init(byteCount: Int, steps: ClosedRange<Int>) {
            self.byteCount = byteCount
            self.steps = steps
        }
    }

    /// By box; multiples of 64.
    package let offsets: [Int]
    package let byteCount: Int

    /// Greedy best fit, largest box first: each box goes into the smallest gap between the boxes it overlaps in time.
    /// - Throws: `limit` when the sizes overflow.
    package init(_ boxes: [Box]) throws(SardonyxError) {
        var offsets = [Int](repeating: 0, count: boxes.count)
        var sizes: [Int] = []
        for box in boxes {
            guard let size = CheckedSize.roundUp(box.byteCount, to: 64), size < 1 << 52 else {
                throw SardonyxError(.limit, "plan", "memory", got: "\(box.byteCount) bytes for one value")
            }
            sizes.append(size)
        }
        var total = 0
        var placed: [Int] = []  // in order of offset
        for box in boxes.indices.sorted(by: { (sizes[$0], $1) > (sizes[$1], $0) }) where sizes[box] > 0 {
            var best: (offset: Int, gap: Int)?
            var end = 0
            for other in placed where boxes[other].steps.overlaps(boxes[box].steps) {
                let gap = offsets[other] - end
                if gap >= sizes[box], gap < best?.gap ?? .max { best = (end, gap) }
                end = max(end, offsets[other] + sizes[other])
            }
            let offset = best?.offset ?? end
            offsets[box] = offset
            guard let top = CheckedSize.sum(offset, sizes[box]), top < 1 << 55 else {
                throw SardonyxError(.limit, "plan", "memory", got: "more than 2^55 bytes")
            }
            total = max(total, top)
            let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(box, at: position)
        }
        self.offsets = offsets
        self.byteCount = total
    }
}
