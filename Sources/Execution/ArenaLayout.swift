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

    /// More boxes than this are placed in the order of time: comparing each with each would take too long.
    package static let mostComparedBoxes = 5000

    /// - Throws: `limit` when the sizes overflow.
    package init(_ boxes: [Box]) throws(SardonyxError) {
        var sizes: [Int] = []
        for box in boxes {
            guard let size = CheckedSize.roundUp(box.byteCount, to: 64), size < 1 << 52 else {
                throw SardonyxError(.limit, "plan", "memory", got: "\(box.byteCount) bytes for one value")
            }
            sizes.append(size)
        }
        (offsets, byteCount) =
            boxes.count <= Self.mostComparedBoxes
            ? try Self.placeBySize(boxes, sizes) : try Self.placeInTime(boxes, sizes)
    }

    /// Greedy best fit, largest box first: each box goes into the smallest gap between the boxes it overlaps in time.
    private static func placeBySize(
        _ boxes: [Box], _ sizes: [Int]
    ) throws(SardonyxError) -> (offsets: [Int], byteCount: Int) {
        var offsets = [Int](repeating: 0, count: boxes.count)
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
            total = max(total, try top(offset, sizes[box]))
            let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(box, at: position)
        }
        return (offsets, total)
    }

    /// Each box takes memory of a freed one, of its size class (a power of two), or new memory when it is born.
    private static func placeInTime(
        _ boxes: [Box], _ sizes: [Int]
    ) throws(SardonyxError) -> (offsets: [Int], byteCount: Int) {
        var offsets = [Int](repeating: 0, count: boxes.count)
        var total = 0
        var free: [Int: [Int]] = [:]  // offsets by size
        let births = boxes.indices.sorted { boxes[$0].steps.lowerBound < boxes[$1].steps.lowerBound }
        let deaths = boxes.indices.sorted { boxes[$0].steps.upperBound < boxes[$1].steps.upperBound }
        var dead = 0
        func sizeClass(_ box: Int) -> Int { 1 << (Int.bitWidth - (sizes[box] - 1).leadingZeroBitCount) }
        for box in births where sizes[box] > 0 {
            while dead < deaths.count, boxes[deaths[dead]].steps.upperBound < boxes[box].steps.lowerBound {
                if sizes[deaths[dead]] > 0 { free[sizeClass(deaths[dead]), default: []].append(offsets[deaths[dead]]) }
                dead += 1
            }
            let size = sizeClass(box)
            if let offset = free[size]?.popLast() {
                offsets[box] = offset
            } else {
                offsets[box] = total
                total = try top(total, size)
            }
        }
        return (offsets, total)
    }

    private static func top(_ offset: Int, _ size: Int) throws(SardonyxError) -> Int {
        guard let top = CheckedSize.sum(offset, size), top < 1 << 55 else {
            throw SardonyxError(.limit, "plan", "memory", got: "more than 2^55 bytes")
        }
        return top
    }
}
