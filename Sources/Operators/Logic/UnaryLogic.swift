import GraphIR
import TensorCore

/// ONNX Not (1) and BitwiseNot (18): every bit of a boolean or an integer turned.
struct UnaryLogic: Operator {
    private let isLogical: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        isLogical = node.node.opType == "Not"
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(try context.dtype(0), try context.shape(0))]
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: input.dtype, shape: input.shape)
        let source = input.pointer.assumingMemoryBound(to: UInt8.self)
        let target = output.pointer.assumingMemoryBound(to: UInt8.self)
        let mask: UInt8 = isLogical ? 1 : 0xff
        for byte in 0..<(input.elementCount * input.dtype.byteSize) { target[byte] = source[byte] ^ mask }
    }
}
