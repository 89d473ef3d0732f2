import GraphIR
import TensorCore

/// ONNX Trilu (14): the upper or lower triangle of the last two axes, zero elsewhere.
struct Trilu: Operator {
    private let isUpper: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        isUpper = try node.bool("upper", default: true)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        return [Inferred(try context.dtype(0), try context.shape(0))]
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        guard input.dtype != .string else {
            throw context.error(.unsupported, "element type", got: "string", allowed: "numbers")
        }
        let output = try context.output(0, dtype: input.dtype, shape: input.shape)
        try input.copyElements(to: output, threads: context.threads)
        let (rows, columns) = (input.shape[input.shape.rank - 2], input.shape[input.shape.rank - 1])
        // Diagonals beyond the matrix are all alike; clamping keeps the sums below from overflowing.
        let diagonal = min(max(try context.integer(1) ?? 0, -rows - 1), columns + 1)
        let size = input.dtype.byteSize
        for row in 0..<(input.elementCount == 0 ? 0 : input.elementCount / columns) {
            let line = output.pointer + row * columns * size
            let kept = row % rows + diagonal
            let cut = isUpper ? 0..<min(max(kept, 0), columns) : min(max(kept + 1, 0), columns)..<columns
            (line + cut.lowerBound * size).initializeMemory(as: UInt8.self, repeating: 0, count: cut.count * size)
        }
    }
}
