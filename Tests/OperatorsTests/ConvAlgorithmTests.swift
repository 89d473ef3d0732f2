import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Which algorithm a convolution is planned with.
@Suite struct ConvAlgorithmTests {
    private func algorithm(weights change: (inout [Float]) -> Void = { _ in }, in cache: WeightCache) throws -> String {
        var weights = [Float](repeating: 0, count: 32 * 32 * 9)
        for i in weights.indices { weights[i] = Float((i * 7919) % 2003) / 1001.5 - 1 }
        change(&weights)
        let node = Node(
            name: "n", domain: "", opType: "Conv", inputs: [ValueID(0), ValueID(1)], outputs: [ValueID(2)],
            attributes: ["pads": .ints([1, 1, 1, 1])])
        let image = TensorInfo(dtype: .float32, shape: try Shape([1, 32, 40, 40]), layout: .blocked16)
        let constant = Constant(try Tensor(weights, dims: [32, 32, 3, 3]))
        var op = try OperatorTable.makeOperator(for: node, opset: 22)
        try op.prepare(
            PrepareContext(
                node: node, inputs: [image, TensorInfo(dtype: .float32, shape: constant.shape)], outputs: [image],
                constants: [nil, constant], threads: 2, weights: cache,
                budget: .unlimited))
        return op.algorithm
    }

    @Test func winogradWhereItIsAllowed() throws {
        #expect(try algorithm(in: WeightCache()) == "winograd")
        #expect(try algorithm(in: WeightCache(allowsWinograd: false)) == "direct")
    }

    /// An infinite weight makes every position of the transform infinite or NaN.
    @Test func weightsThatWinogradSpoilsAreLeftToDirect() throws {
        #expect(try algorithm(weights: { $0[5000] = .infinity }, in: WeightCache()) == "direct")
    }

    /// Two constants of equal contents are two entries; the cache keeps both alive.
    @Test func packedWeightsBelongToTheirConstants() throws {
        let cache = WeightCache()
        _ = try algorithm(in: cache)
        let one = cache.byteCount
        _ = try algorithm(in: cache)
        #expect(one > 0 && cache.byteCount == 2 * one)
    }
}
