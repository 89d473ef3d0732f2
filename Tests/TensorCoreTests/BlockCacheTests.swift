import Testing

@testable import TensorCore

/// The cache belongs to the process: no other test of this target may make results.
@Suite(.serialized) struct BlockCacheTests {
    @Test func resultsReuseTheMemoryOfFreedOnes() throws {
        BlockCache.trim()
        let shape = try Shape([BlockCache.smallest])
        let first = try Tensor(resultOf: .uint8, shape: shape).pointer
        #expect(BlockCache.byteCount == shape.elementCount)
        let second = try Tensor(resultOf: .uint8, shape: shape)
        #expect(second.pointer == first)
        #expect(BlockCache.byteCount == 0)
        _ = try Tensor(resultOf: .uint8, shape: try Shape([BlockCache.smallest - 1]))
        _ = try Tensor(dtype: .uint8, shape: shape) { _ in }
        #expect(BlockCache.byteCount == 0)
        withExtendedLifetime(second) {}
    }

    @Test func whatWasKeptLongestMakesRoom() throws {
        BlockCache.trim()
        let quarter = BlockCache.capacity / 4
        for size in [quarter, quarter + 64, quarter + 128, quarter - 192] {
            _ = try Tensor(resultOf: .uint8, shape: try Shape([size]))
        }
        #expect(BlockCache.byteCount == BlockCache.capacity)
        _ = try Tensor(resultOf: .uint8, shape: try Shape([quarter + 32]))
        // Both of the oldest had to go: one leaves no room for 32 bytes more.
        #expect(BlockCache.byteCount == 3 * quarter - 32)
        #expect(BlockCache.take(quarter) == nil && BlockCache.take(quarter + 64) == nil)
        _ = try Tensor(resultOf: .uint8, shape: try Shape([BlockCache.capacity + 1]))
        #expect(BlockCache.byteCount == 3 * quarter - 32)
        BlockCache.trim()
        #expect(BlockCache.byteCount == 0)
    }
}
