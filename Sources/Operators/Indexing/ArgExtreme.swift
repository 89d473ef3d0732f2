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
        if input.dtype == .float32, input.shape.strides[axis] == 1, !selectsLast {
            let indices = output.elements(Int64.self)
            return sx_arg_extreme(
                input.floats, indices.baseAddress, Int64(indices.count), Int64(input.shape[axis]), isMaximum,
                Int32(context.threads))
        }
        let body = Search(input: input, axis: axis, output: output, isMaximum: isMaximum, selectsLast: selectsLast)
        try context.placing { () throws(SardonyxError) in try withNumericType(input.dtype, body) }
    }

    private struct Search: NumericBody {
        let input: TensorView
        let axis: Int
        let output: TensorView
        let isMaximum: Bool
        let selectsLast: Bool

        func run<T: NumericElement>(_ type: T.Type) {
            let (extent, inner) = (input.shape[axis], input.shape.strides[axis])
            let source = input.pointer.assumingMemoryBound(to: T.self)
            let target = output.elements(Int64.self)
            for row in target.indices {
                let line = source + row / inner * extent * inner + row % inner
                var best = line[0]
                var found = 0
                for index in 1..<max(extent, 1) {
                    let value = line[index * inner]
                    let isBeyond = isMaximum ? value > best : value < best
                    if isBeyond || selectsLast && value == best || value.isNaN && (!best.isNaN || selectsLast) {
                        if best.isNaN && !value.isNaN { continue }
                        best = value
                        found = index
                    }
                }
                target[row] = Int64(found)
            }
        }
    }
}
