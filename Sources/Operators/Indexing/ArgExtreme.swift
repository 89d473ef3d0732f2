import CKernels
import GraphIR
import TensorCore

/// ONNX ArgMax (1-13) and ArgMin (1-13): the index of the greatest or least element along an axis; NaN is both.
struct ArgExtreme: Operator {
    static let elementTypes: [DType] = DType.numeric
    private let axis: Int
    private let keepsAxis: Bool
    private let selectsLast: Bool
    private let isMaximum: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 0)
        keepsAxis = try node.bool("keepdims", default: true)
        selectsLast = try node.bool("select_last_index", default: false)
        isMaximum = node.node.opType == "ArgMax"
    }

    private func outputDims<D>(_ dims: [D], one: D, at place: some NodePlace) throws(SardonyxError) -> [D] {
        var dims = dims
        let axis = try place.axis(axis, rank: dims.count)
        if keepsAxis { dims[axis] = one } else { dims.remove(at: axis) }
        return dims
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        guard let input = try context.shape(0) else { return [Inferred(.int64, nil)] }
        return [Inferred(.int64, SymbolicShape(try outputDims(input.dims, one: .known(1), at: context)))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let axis = try context.axis(axis, rank: input.shape.rank)
        let dims = try outputDims(input.shape.dims, one: 1, at: context)
        let output = try context.output(0, dtype: .int64, shape: try context.shape(of: dims))
        guard input.shape[axis] > 0 || output.elementCount == 0 else {
            throw context.error(.value, "axis \(axis) is empty", got: "\(input.shape)", allowed: "1 or more elements")
        }
        let (extent, inner) = (input.shape[axis], input.shape.strides[axis])
        if input.dtype == .float32, inner == 1, !selectsLast {
            let indices = output.elements(Int64.self)
            return sx_arg_extreme(
                input.floats, indices.baseAddress, Int64(indices.count), Int64(extent), isMaximum,
                Int32(context.threads))
        }
        if input.dtype == .float32, inner > 1, extent <= Int32.max {
            return sx_arg_extreme_columns(
                input.floats, output.typed(Int64.self), Int64(output.elementCount / inner), Int64(extent),
                Int64(inner), isMaximum, selectsLast, Int32(context.threads))
        }
        let body = Search(
            input: input, axis: axis, output: output, isMaximum: isMaximum, selectsLast: selectsLast, context: context)
        try context.placing { () throws(SardonyxError) in try withNumericType(input.dtype, body) }
    }

    private struct Search: NumericBody {
        let input: TensorView
        let axis: Int
        let output: TensorView
        let isMaximum: Bool
        let selectsLast: Bool
        let context: RunContext

        func run<T: NumericElement>(_ type: T.Type) throws(SardonyxError) {
            let (input, output, isMaximum, selectsLast) = (input, output, isMaximum, selectsLast)
            let (extent, inner) = (input.shape[axis], input.shape.strides[axis])
            try context.inParallel(output.elementCount, cost: extent) { rows in
                let (source, target) = (input.typed(T.self), output.typed(Int64.self))
                for row in rows {
                    let line = source + row / inner * extent * inner + row % inner
                    var best = ArgExtreme.rank(line[0], isMaximum)
                    var found = 0
                    for index in 1..<max(extent, 1) {
                        let rank = ArgExtreme.rank(line[index * inner], isMaximum)
                        guard rank > best || selectsLast && rank == best else { continue }
                        (best, found) = (rank, index)
                    }
                    target[row] = Int64(found)
                }
            }
        }
    }

    @inline(__always)
    private static func rank<T: NumericElement>(_ value: T, _ isMaximum: Bool) -> T.Rank {
        isMaximum || value.isNaN ? value.rank : ~value.rank
    }
}
