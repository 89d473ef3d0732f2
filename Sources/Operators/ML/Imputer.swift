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
        case .float32: try replace(x, y, Float(reals.replaced), by: reals.values.map { Float($0) }, context)
        case .float64: try replace(x, y, reals.replaced, by: reals.values, context)
        case .int32:
            let values = integers.values.map { Int32(truncatingIfNeeded: $0) }
            try replace(x, y, Int32(exactly: integers.replaced), by: values, context)
        default: try replace(x, y, integers.replaced, by: integers.values, context)
        }
    }

    /// - Parameter replaced: `nil` when no element can have the value; NaN stands for all of its kind.
    private func replace<T: Equatable & Sendable>(
        _ x: TensorView, _ y: TensorView, _ replaced: T?, by values: [T], _ context: RunContext
    ) throws(SardonyxError) {
        let features = max(x.shape[x.shape.rank - 1], 1)
        let replacesNaN = replaced.map { $0 != $0 } ?? false
        try context.inParallel(x.elementCount, cost: 4) { range in
            let (source, target) = (x.typed(T.self), y.typed(T.self))
            guard let replaced else {
                for index in range { target[index] = source[index] }
                return
            }
            values.withUnsafeBufferPointer { values in
                guard values.count > 1 else {
                    let other = values[0]
                    for index in range {
                        let value = source[index]
                        target[index] = value == replaced || (replacesNaN && value != value) ? other : value
                    }
                    return
                }
                var feature = range.lowerBound % features
                for index in range {
                    let value = source[index]
                    target[index] = value == replaced || (replacesNaN && value != value) ? values[feature] : value
                    feature = feature + 1 == features ? 0 : feature + 1
                }
            }
        }
    }
}
