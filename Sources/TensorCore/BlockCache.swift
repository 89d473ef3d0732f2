import Glibc
import Synchronization

/// Keeps freed blocks of memory for the next tensor of their size.
///
/// Results belong to the caller and are freed by him; fresh memory for those of the next run would cost more page faults
/// than many an operator costs time.
package enum BlockCache {
    /// Smaller blocks are the allocator's business.
    static let smallest = 64 << 10
    /// The most that is kept, all blocks together.
    static let capacity = 64 << 20

    private struct Blocks: @unchecked Sendable {
        /// By size, those freed last at the end.
        var bySize: [Int: [UnsafeMutableRawPointer]] = [:]
        /// Sizes in the order in which blocks were freed.
        var order: [Int] = []
        var byteCount = 0
    }
    private static let blocks = Mutex(Blocks())

    /// A block of exactly this size that was given back, with whatever is in it.
    static func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount >= smallest, byteCount <= capacity else { return nil }
        return blocks.withLock { blocks in
            guard let block = blocks.bySize[byteCount]?.popLast() else { return nil }
            if let index = blocks.order.lastIndex(of: byteCount) { blocks.order.remove(at: index) }
            blocks.byteCount -= byteCount
            return block
        }
    }

    /// Keeps a block instead of freeing it; what was kept longest makes room.
    /// - Returns: whether it was taken.
    static func give(_ block: sending UnsafeMutableRawPointer, byteCount: Int) -> Bool {
        guard byteCount >= smallest, byteCount <= capacity else { return false }
        let address = UInt(bitPattern: block)
        let evicted = blocks.withLock { blocks -> [UInt] in
            var evicted: [UInt] = []
            while blocks.byteCount > capacity - byteCount, !blocks.order.isEmpty {
                let size = blocks.order.removeFirst()
                guard let oldest = blocks.bySize[size]?.removeFirst() else { continue }
                if blocks.bySize[size]?.isEmpty == true { blocks.bySize[size] = nil }
                blocks.byteCount -= size
                evicted.append(UInt(bitPattern: oldest))
            }
            if let block = UnsafeMutableRawPointer(bitPattern: address) {
                blocks.bySize[byteCount, default: []].append(block)
            }
            blocks.order.append(byteCount)
            blocks.byteCount += byteCount
            return evicted
        }
        for address in evicted { free(UnsafeMutableRawPointer(bitPattern: address)) }
        return true
    }

    /// Frees everything that is kept.
    package static func trim() {
        let all = blocks.withLock { blocks -> [UInt] in
            let all = blocks.bySize.values.joined().map { UInt(bitPattern: $0) }
            blocks = Blocks()
            return all
        }
        for address in all { free(UnsafeMutableRawPointer(bitPattern: address)) }
    }

    /// Bytes that are kept now.
    package static var byteCount: Int { blocks.withLock { $0.byteCount } }
}
