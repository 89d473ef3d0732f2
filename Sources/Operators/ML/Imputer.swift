import GraphIR
import TensorCore

/// ONNX Imputer (ai.onnx.ml 1): elements of x `[…, F]` that equal one value (or are NaN, if it is) replaced by another,
/// one for all features or one each.
struct Imputer: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let reals: (replaced: Double, values: [Double])
    private let integers: (replaced: Int64, values: [Int64])

    init(_ node: NodeReader) throws(SardonyxError) {
        reals = (
            Double(try node.float("replaced_value_float", default: 0)),
            try node.floats("imputed_value_floats")?.map(Double.init) ?? []
        )
        integers = (
            Int64(try node.int("replaced_value_int64", default: 0)),
            try node.ints("imputed_value_int64s")?.map(Int64.init) ?? []
        )
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 1...64, "input")
        try requireValues(try context.dtype(0), features: try context.shape(0)?.dims.last?.value, at: context)
        return [Inferred(try context.input(0).type)]
    }

    private func requireValues(_ dtype: DType, features: Int?, at place: some NodePlace) throws(SardonyxError) {
        let (name, count) =
            dtype.isInteger
            ? ("imputed_value_int64s", integers.values.count) : ("imputed_value_floats", reals.values.count)
        guard count == 1 || count > 1 && count == features ?? count else {
            throw place.error(
                .value, "attribute \(name)", got: "\(count) elements for \(dtype)",
                allowed: "1 or \(features.map(String.init) ?? "as many as features")", hint: nil)
        }
        if dtype == .int32, let value = integers.values.first(where: { Int32(exactly: $0) == nil }) {
            throw place.error(.value, "attribute \(name)", got: "\(value)", allowed: "32 signed bits", hint: nil)
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let y = try context.output(0, dtype: x.dtype, shape: x.shape)
        try requireValues(x.dtype, features: x.shape.dims.last, at: context)
        switch x.dtype {
        case .float32:
            let replaced = Float(reals.replaced)
            try replace(x, y, reals.values.map { Float($0) }, context) { $0 == replaced || replaced.isNaN && $0.isNaN }
        case .float64:
            let replaced = reals.replaced
            try replace(x, y, reals.values, context) { $0 == replaced || replaced.isNaN && $0.isNaN }
        case .int32:
            let replaced = integers.replaced
            try replace(x, y, integers.values.map { Int32(truncatingIfNeeded: $0) }, context) { Int64($0) == replaced }
        default:
            let replaced = integers.replaced
            try replace(x, y, integers.values, context) { $0 == replaced }
        }
    }

    private func replace<T: Sendable>(
        _ x: TensorView, _ y: TensorView, _ values: [T], _ context: RunContext,
        _ isReplaced: @Sendable (T) -> Bool
    ) throws(SardonyxError) {
        let features = x.shape[x.shape.rank - 1]
        try context.inParallel(x.elementCount, cost: 4) { range in
            let (source, target) = (x.typed(T.self), y.typed(T.self))
            for index in range {
                let value = source[index]
                target[index] = isReplaced(value) ? values[values.count == 1 ? 0 : index % features] : value
            }
        }
    }
}
