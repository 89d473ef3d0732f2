import Glibc

/// Memory: its own, 64-byte aligned and freed with the last reference, or lent.
///
/// A buffer is filled by whoever makes it and not written after it has been shared.
public final class Buffer: @unchecked Sendable {
    package let pointer: UnsafeMutableRawPointer
    public let byteCount: Int
    private let stringCount: Int
    private let isOwned: Bool
    private let isRecycled: Bool

    /// Uninitialised memory.
    /// - Throws: `limit` when the system has no such memory.
    /// - Parameter isRecycled: for what every run makes anew: from `BlockCache`, and to it at the end.
    package init(byteCount: Int, isRecycled: Bool = false) throws(SardonyxError) {
        let kept = isRecycled ? BlockCache.take(byteCount) : nil
        self.pointer = if let kept { kept } else { try Buffer.allocate(byteCount) }
        self.byteCount = byteCount
        self.stringCount = 0
        self.isOwned = true
        self.isRecycled = isRecycled
    }

    /// Memory of somebody else, who keeps it as it is for as long as this buffer or a tensor in it is there.
    package init(lending memory: UnsafeMutableRawPointer, byteCount: Int) {
        self.pointer = memory
        self.byteCount = byteCount
        self.stringCount = 0
        self.isOwned = false
        self.isRecycled = false
    }

    /// `count` empty strings.
    package init(strings count: Int) throws(SardonyxError) {
        guard let bytes = CheckedSize.product(count, MemoryLayout<String>.stride) else {
            throw SardonyxError(.limit, "", "string tensor", got: "\(count) elements")
        }
        self.pointer = try Buffer.allocate(bytes)
        self.pointer.initializeMemory(as: String.self, repeating: "", count: count)
        self.byteCount = bytes
        self.stringCount = count
        self.isOwned = true
        self.isRecycled = false
    }

    deinit {
        if stringCount > 0 { pointer.assumingMemoryBound(to: String.self).deinitialize(count: stringCount) }
        if isOwned, !(isRecycled && BlockCache.give(pointer, byteCount: byteCount)) { free(pointer) }
    }

    /// Memory of this size and more begins at such a boundary and uses huge pages where it fills them: weights and
    /// feature maps would take tens of thousands of page faults otherwise.
    private static let hugePage = 2 << 20

    private static func allocate(_ byteCount: Int) throws(SardonyxError) -> UnsafeMutableRawPointer {
        let alignment = byteCount >= hugePage ? hugePage : 64
        guard byteCount >= 0, let rounded = CheckedSize.roundUp(max(byteCount, 1), to: 64),
            let memory = aligned_alloc(alignment, rounded)
        else {
            throw SardonyxError(.limit, "", "out of memory", got: "\(byteCount) bytes asked")
        }
        // Whole pages only, so that no memory is used that was not asked for.
        if alignment == hugePage { madvise(memory, rounded / hugePage * hugePage, 14 /* MADV_HUGEPAGE */) }
        return memory
    }
}
