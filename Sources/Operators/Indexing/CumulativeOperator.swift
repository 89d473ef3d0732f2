import GraphIR
import TensorCore

/// ONNX CumSum (11-14) and CumProd (26): running sums or products along an axis given by input 1.
struct CumulativeOperator: Operator {
    static let elementTypes: [DType] = DType.numeric
    private let isExclusive: Bool
    private let isReversed: Bool
    private let isProduct: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        isExclusive = try node.bool("exclusive", default: false)
        isReversed = try node.bool("reverse", default: false)
        isProduct = node.node.opType == "CumProd"
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
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
            if operation.isProduct {
                accumulate(T.one, T.wrappingProduct)
            } else {
                accumulate(T.zero, T.wrappingSum)
            }
        }

        /// A step along the axis is a row of `inner` elements: each row is the one before and one of the source's.
        @inline(__always)
        private func accumulate<T: NumericElement>(_ identity: T, _ operation: (T, T) -> T) {
            guard input.elementCount > 0 else { return }
            let (extent, inner) = (input.shape[axis], input.shape.strides[axis])
            let (isExclusive, isReversed) = (self.operation.isExclusive, self.operation.isReversed)
            for block in stride(from: 0, to: input.elementCount, by: extent * inner) {
                let source = input.pointer.assumingMemoryBound(to: T.self) + block
                let target = output.pointer.assumingMemoryBound(to: T.self) + block
                for step in 0..<extent {
                    let row = (isReversed ? extent - 1 - step : step) * inner
                    let before = isReversed ? row + inner : row - inner
                    let (total, last) = (target + row, target + before)
                    let added = source + (isExclusive ? before : row)
                    if step > 0 {
                        for i in 0..<inner { total[i] = operation(last[i], added[i]) }
                    } else if isExclusive {
                        for i in 0..<inner { total[i] = identity }
                    } else {
                        for i in 0..<inner { total[i] = operation(identity, added[i]) }
                    }
                }
            }
        }
    }
}
