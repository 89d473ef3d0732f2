import GraphIR
import TensorCore
import Testing

@testable import Operators

/// What PyTorch computes and no official case covers.
@Suite struct SamplingTests {
    @Test func cubicTapsLeaveTheBorderOneByOne() throws {
        let x = try floats([1, 2, 4, 8], [1, 1, 1, 4])
        let grid = try floats([-1.2, 0, 1.2, 0, -9, 0, 1e30, 0, 0.3, 0], [1, 1, 5, 2])
        let attributes: [String: Attribute] = [
            "mode": .string(Array("cubic".utf8)), "padding_mode": .string(Array("border".utf8)),
            "align_corners": .int(1),
        ]
        let y = try NodeRunner("GridSample", attributes).run(x, grid)[0]?.array(of: Float.self) ?? []
        let expected: [Float] = [0.8897, 8.4410, 1, 8, 3.7878]
        #expect(y.count == 5 && zip(y, expected).allSatisfy { abs($0 - $1) < 1e-4 }, "\(y)")
    }

    @Test func wrapsUnderOpset18() throws {
        let pad = NodeRunner("Pad", opset: 18, ["mode": .string(Array("wrap".utf8))])
        let y = try pad.run(try floats([0, 1, 2]), try ints([2, 1]))[0]
        #expect(try y?.array(of: Float.self) == [1, 2, 0, 1, 2, 0])
    }
}
