import GraphIR
import TensorCore

/// ONNX Scaler (ai.onnx.ml 1): y = (x - offset) · scale, with one offset and scale for all features of x `[…, F]` or one
/// each.
struct Scaler: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let offset, scale: [Double]

    init(_ node: NodeReader) throws(SardonyxError) {
        offset = try node.floats("offset")?.map(Double.init) ?? [0]
        scale = try node.floats("scale")?.map(Double.init) ?? [1]
        guard !offset.isEmpty, !scale.isEmpty else {
            throw node.error(.value, "attributes offset and scale", got: "no elements", allowed: "1 or more")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 1...64, "input")
        let shape = try context.shape(0)
        if let features = shape?.dims.last?.value { try require(features, at: context) }
        return [Inferred(.float32, shape)]
    }

    private func require(_ features: Int, at place: some NodePlace) throws(SardonyxError) {
        for (name, count) in [("offset", offset.count), ("scale", scale.count)] where count != 1 && count != features {
            throw place.error(
                .value, "attribute \(name)", got: "\(count) elements", allowed: "1 or \(features)", hint: nil)
        }
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        try require(x.shape[x.shape.rank - 1], at: context)
        let y = try context.output(0, dtype: .float32, shape: x.shape)
        try withNumber(x.dtype, Body(scaler: self, x: x, y: y, context: context))
    }

    private struct Body: NumberBody {
        let scaler: Scaler
        let x, y: TensorView
        let context: RunContext

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let features = x.shape[x.shape.rank - 1]
            let (x, y, offset, scale) = (x, y, scaler.offset, scaler.scale)
            try context.inParallel(x.elementCount, cost: 4) { range in
                let source = x.typed(T.self)
                for index in range {
                    let feature = index % features
                    let (shift, factor) = (
                        offset[offset.count == 1 ? 0 : feature], scale[scale.count == 1 ? 0 : feature]
                    )
                    y.floats[index] = Float((source[index].asDouble - shift) * factor)
                }
            }
        }
    }
}
