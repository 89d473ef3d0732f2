import Glibc
import Synchronization

/// Keeps freed blocks of memory for the next tensor of their size.
///
/// Results belong to the caller and are freed by him; fresh memory for those of the next run would cost more page faults
/// than many an operator costs time.
package enum BlockCache {
    /// Smaller blocks are the allocator's business.
    static let smallest = 64 << 10
    /// The most that is kept, all blocks together; so there are never more than a thousand.
    static let capacity = 64 << 20

    private struct Block: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
        let byteCount: Int
    }
    /// Those freed last at the end.
    private static let blocks = Mutex<[Block]>([])

    /// A block of exactly this size that was given back, with whatever is in it.
    static func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount >= smallest else { return nil }
        return blocks.withLock { blocks -> Block? in
            blocks.lastIndex { $0.byteCount == byteCount }.map { blocks.remove(at: $0) }
        }?.memory
    }

    /// Keeps a block instead of freeing it; those that were kept longest make room.
    /// - Returns: whether it was taken.
    static func give(_ memory: UnsafeMutableRawPointer, byteCount: Int) -> Bool {
        guard byteCount >= smallest, byteCount <= capacity else { return false }
        let block = Block(memory: memory, byteCount: byteCount)
        let evicted = blocks.withLock { blocks in
            blocks.append(block)
            var excess = total(blocks) - capacity
            let count = blocks.prefix { kept in
                defer { excess -= kept.byteCount }
                return excess > 0
            }.count
            defer { blocks.removeFirst(count) }
            return Array(blocks.prefix(count))
        }
        for block in evicted { free(block.memory) }
        return true
    }

    /// Frees everything that is kept.
    package static func trim() {
        let all = blocks.withLock { blocks in
            defer { blocks = [] }
            return blocks
        }
        for block in all { free(block.memory) }
    }

    /// Bytes that are kept now.
    package static var byteCount: Int { blocks.withLock { total($0) } }

    private static func total(_ blocks: [Block]) -> Int { blocks.reduce(0) { $0 + $1.byteCount } }
}
