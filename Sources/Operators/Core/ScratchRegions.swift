import TensorCore

/// Regions of a node's scratch memory, one behind the other, 64-byte aligned.
struct ScratchRegions: Sendable {
    private(set) var byteCount = 0

    /// - Parameter bytes: the region's size; `nil` when it overflows.
    /// - Returns: where the region begins.
    /// - Throws: `limit` when the sizes overflow.
    mutating func add(_ bytes: Int?, at place: some NodePlace) throws(SardonyxError) -> Int {
        guard let bytes, let start = CheckedSize.roundUp(byteCount, to: 64), let end = CheckedSize.sum(start, bytes)
        else {
            throw place.error(.limit, "scratch memory overflows", got: nil, allowed: nil, hint: nil)
        }
        byteCount = end
        return start
    }
}
