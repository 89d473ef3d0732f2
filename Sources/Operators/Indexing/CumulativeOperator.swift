import GraphIR
import TensorCore

/// ONNX CumSum (11-14) and CumProd (26): running sums or products along an axis given by input 1.
struct CumulativeOperator: Operator {
    private let isExclusive: Bool
    private let isReversed: Bool
    private let isProduct: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        isExclusive = try node.bool("exclusive", default: false)
        isReversed = try node.bool("reverse", default: false)
        isProduct = node.node.opType == "CumProd"
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(0, DType.numeric, "input")
        try context.requireDType(1, DType.indices, "axis")
        let shape = try context.shape(0)
        if let shape, let axis = try context.integers(1)?.first { _ = try context.axis(axis, rank: shape.rank) }
        return [Inferred(try context.dtype(0), shape)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let axis = try context.axis(try context.integer(1) ?? 0, rank: input.shape.rank)
        let output = try context.output(0, dtype: input.dtype, shape: input.shape)
        try withNumericType(input.dtype, Body(input: input, output: output, axis: axis, operation: self))
    }

    private struct Body: NumericBody {
        let input: TensorView
        let output: TensorView
        let axis: Int
        let operation: CumulativeOperator

        func run<T: NumericElement>(_ type: T.Type) {
            guard input.elementCount > 0 else { return }
            let (extent, inner) = (input.shape[axis], input.shape.strides[axis])
            let (source, target) = (input.elements(T.self), output.elements(T.self))
            for row in 0..<(input.elementCount / extent) {
                let line = row / inner * extent * inner + row % inner
                var total = operation.isProduct ? T.one : T.zero
                for step in 0..<extent {
                    let position = line + (operation.isReversed ? extent - 1 - step : step) * inner
                    let value = source[position]
                    if operation.isExclusive { target[position] = total }
                    total = operation.isProduct ? T.wrappingProduct(total, value) : T.wrappingSum(total, value)
                    if !operation.isExclusive { target[position] = total }
                }
            }
        }
    }
}
