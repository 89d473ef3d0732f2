import TensorCore

/// Working memory of mask assembly, a few columns a worker.
struct MaskScratch: Sendable {
    /// What one worker writes; valid while the scratch lives.
    struct Worker {
        /// A column at the prototypes' resolution and one value more at each end.
        let column: UnsafeMutablePointer<Float>
        /// Two neighbouring columns at the picture's height.
        let even: UnsafeMutablePointer<Float>
        let odd: UnsafeMutablePointer<Float>
        /// One bit a row of the picture.
        let bits: UnsafeMutablePointer<UInt64>
    }

    private let storage: Buffer
    private let columnBytes: Int
    private let stretchedBytes: Int
    private let bitBytes: Int

    /// - Throws: `limit` when there is no memory.
    init(workers: Int, rows: Int, prototypeRows: Int) throws(SardonyxError) {
        // Whole vectors are written from the second value on.
        guard let column = CheckedSize.roundUp(prototypeRows, to: 16).flatMap({ CheckedSize.product($0 + 32, 4) }),
            let stretched = CheckedSize.roundUp(rows, to: 16).flatMap({ CheckedSize.product($0, 4) }),
            let bits = CheckedSize.roundUp(rows, to: 512).map({ $0 / 8 }),
            let each = CheckedSize.sum(column, stretched, stretched, bits),
            let total = CheckedSize.product(each, workers)
        else {
            throw SardonyxError(.limit, "masks", "scratch memory", got: "\(rows) rows, \(workers) workers")
        }
        (columnBytes, stretchedBytes, bitBytes) = (column, stretched, bits)
        storage = try Buffer(byteCount: total)
    }

    func of(_ worker: Int) -> Worker {
        let start = storage.pointer + worker * (columnBytes + 2 * stretchedBytes + bitBytes)
        let even = start + columnBytes
        let odd = even + stretchedBytes
        return Worker(
            column: start.assumingMemoryBound(to: Float.self), even: even.assumingMemoryBound(to: Float.self),
            odd: odd.assumingMemoryBound(to: Float.self),
            bits: (odd + stretchedBytes).assumingMemoryBound(to: UInt64.self))
    }
}

/// Collects the positions at which a mask changes, column by column.
struct RunBuilder {
    private let height: Int
    private var toggles: [UInt32] = []

    init(height: Int) {
        self.height = height
    }

    /// Adds rows `firstRow..<firstRow + count` of a column, whose other rows are clear; columns come in ascending order.
    /// - Parameter bits: bit i belongs to row `firstRow + i`; bits from `count` on are clear.
    mutating func append(_ bits: UnsafePointer<UInt64>, count: Int, column: Int, firstRow: Int) {
        let start = column * height + firstRow
        var previous: UInt64 = 0
        for word in 0..<(count + 63) / 64 {
            let value = bits[word]
            var changes = value ^ (value << 1 | previous)
            previous = value >> 63
            while changes != 0 {
                toggle(start + word * 64 + changes.trailingZeroBitCount)
                changes &= changes - 1
            }
        }
        // The last word was full and its last bit set.
        if previous == 1 { toggle(start + count) }
    }

    /// A run that goes on at the top of the next column toggles twice at one position, which cancels.
    private mutating func toggle(_ position: Int) {
        let position = UInt32(truncatingIfNeeded: position)
        if toggles.last == position { toggles.removeLast() } else { toggles.append(position) }
    }

    /// The mask; the builder starts afresh.
    mutating func finish(width: Int) -> RLE {
        if let last = toggles.last, Int(last) == width * height { toggles.removeLast() }
        defer { toggles = [] }
        return RLE(toggles: toggles, width: width, height: height)
    }
}
