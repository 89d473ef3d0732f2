import GraphIR
import TensorCore

/// ONNX NonZero (9-13): the indices of elements that are not zero, `[rank, count]`, in row-major order.
struct NonZero: Operator {
    static let elementTypes: [DType] = DType.numeric + [.bool]
    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        [Inferred(.int64, [try context.shape(0).map { .known($0.rank) } ?? .unknown, .unknown])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        guard input.dtype == .bool else {
            return try context.placing { () throws(SardonyxError) in
                try withNumericType(input.dtype, Body(view: input, context: context))
            }
        }
        var bytes = input
        bytes.dtype = .uint8
        try Body(view: bytes, context: context).run(UInt8.self)
    }

    private struct Body: NumericBody {
        let view: TensorView
        let context: RunContext

        func run<T: NumericElement>(_ type: T.Type) throws(SardonyxError) {
            let elements = view.elements(T.self)
            let count = elements.lazy.filter { $0 != T.zero }.count
            let shape = view.shape
            let output = try context.output(0, dtype: .int64, shape: try context.shape(of: [shape.rank, count]))
            let target = output.elements(Int64.self)
            let strides = shape.strides
            var column = 0
            for (element, value) in elements.enumerated() where value != T.zero {
                for axis in 0..<shape.rank {
                    target[axis * count + column] = Int64(element / strides[axis] % shape[axis])
                }
                column += 1
            }
        }
    }
}
