import GraphIR
import TensorCore
import Testing

@testable import Operators

/// What the ONNX backend cases leave out: sequences of different lengths, and faults.
@Suite struct RecurrentOperatorTests {
    /// H = x W + h R with weights of one is a running sum: of the sequence from its own end where reversed.
    @Test func sequencesEndByThemselves() throws {
        let x = try floats([1, 10, 2, 20, 3, 30], [3, 2, 1])
        let ones = try floats([1, 1], [2, 1, 1])
        let runner = NodeRunner(
            "RNN", outputs: 2,
            [
                "hidden_size": .int(1), "direction": .string(Array("bidirectional".utf8)),
                "activations": .strings([Array("Affine".utf8), Array("Affine".utf8)]),
            ])
        let lengths = try Tensor([Int32(3), 2], dims: [2])
        let outputs = try runner.run(x, ones, ones, nil, lengths)
        #expect(try outputs[0]?.array(of: Float.self) == [1, 10, 6, 30, 3, 30, 5, 20, 6, 0, 3, 0])
        #expect(try outputs[1]?.array(of: Float.self) == [6, 30, 6, 30])
    }

    @Test func faults() throws {
        let x = try floats([1, 2], [2, 1, 1])
        let weight = try floats([1], [1, 1, 1])
        let lengths = try Tensor([Int32(3)], dims: [1])
        #expect(NodeRunner("RNN").fault(x, weight, weight, nil, lengths)?.code == .value)
        #expect(NodeRunner("GRU").fault(x, weight, weight)?.code == .shape)
        #expect(NodeRunner("RNN", ["hidden_size": .int(-1)]).fault(x, weight, weight)?.code == .shape)
        let activations: Attribute = .strings([Array("Sine".utf8)])
        #expect(NodeRunner("RNN", ["activations": activations]).fault(x, weight, weight)?.code == .unsupported)
        #expect(NodeRunner("LSTM", ["activations": activations]).fault(x, weight, weight)?.code == .graph)
    }
}
