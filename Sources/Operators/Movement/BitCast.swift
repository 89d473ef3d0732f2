import GraphIR
import TensorCore

/// ONNX BitCast (26): the bits of every element as another type of the same width.
struct BitCast: Operator {
    private let target: DType

    init(_ node: NodeReader) throws(SardonyxError) { target = try node.required("to", try node.dtype("to")) }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let from = try context.dtype(0)
        guard let bits = from.packedBitSize, bits == target.packedBitSize else {
            throw context.error(
                .value, "attribute to", got: "\(target) for \(from)", allowed: "a type of the input's width, no string")
        }
        return [Inferred(target, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: target, shape: input.shape)
        guard target.isSubByte || input.dtype.isSubByte else {
            return output.pointer.copyMemory(from: input.pointer, byteCount: input.elementCount * target.byteSize)
        }
        // Elements narrower than a byte are held one a byte: signed ones extended, others in the low bits.
        let (from, to) = (input.elements(UInt8.self), output.elements(UInt8.self))
        let shift = UInt8(8 - (target.packedBitSize ?? 8))
        for index in 0..<input.elementCount {
            let high = from[index] << shift
            to[index] =
                target == .int4 || target == .int2
                ? UInt8(bitPattern: Int8(bitPattern: high) >> Int8(shift)) : high >> shift
        }
    }
}

extension DType {
    fileprivate var isSubByte: Bool { (packedBitSize ?? 8) < 8 }
}
