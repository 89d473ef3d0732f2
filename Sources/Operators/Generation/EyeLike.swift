import GraphIR
import TensorCore

/// ONNX EyeLike (9-22): ones on the diagonal `k` of a matrix shaped like the input, zeros elsewhere.
struct EyeLike: Operator {
    private let dtype: DType?
    private let diagonal: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        dtype = try node.dtype("dtype")
        diagonal = try node.int("k", default: 0)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...2, "input")
        let like = try context.dtype(0)
        let type = dtype ?? like
        guard type == .bool || DType.numeric.contains(type) else {
            throw context.error(.unsupported, "element type", got: "\(type)", allowed: "numbers and bool")
        }
        return [Inferred(type, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: dtype ?? input.dtype, shape: input.shape)
        let diagonal = min(max(diagonal, -input.shape[0]), input.shape[1])
        if output.dtype == .bool {
            Body(output: output, diagonal: diagonal).run(UInt8.self)
        } else {
            try withNumericType(output.dtype, Body(output: output, diagonal: diagonal))
        }
    }

    private struct Body: NumericBody {
        let output: TensorView
        let diagonal: Int

        func run<T: NumericElement>(_ type: T.Type) {
            let target = output.elements(T.self)
            let (rows, columns) = (output.shape[0], output.shape[1])
            target.update(repeating: T.zero)
            for row in 0..<rows where row + diagonal >= 0 && row + diagonal < columns {
                target[row * columns + row + diagonal] = T.one
            }
        }
    }
}
