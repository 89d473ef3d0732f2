import GraphIR
import TensorCore

/// ONNX Normalizer (ai.onnx.ml 1): each row of `[N, C]` or `[C]` divided by its greatest element, the sum of its
/// magnitudes or the root of the sum of its squares; a row whose divisor is zero stays as it is.
struct Normalizer: Operator {
    static let elementTypes: [DType] = DType.tabular
    private enum Norm: String, CaseIterable { case greatest = "MAX", l1 = "L1", l2 = "L2" }
    private let norm: Norm

    init(_ node: NodeReader) throws(SardonyxError) { norm = try node.choice("norm", default: .greatest) }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        _ = try context.featureRows()
        return [Inferred(.float32, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rows = try FeatureRows(context)
        let output = try context.output(0, dtype: .float32, shape: try context.input(0).shape)
        guard rows.features > 0 else { return }
        try context.forEachRow(of: rows, into: output, width: rows.features, cost: rows.features) { _, row, scores in
            let divisor =
                switch norm {
                case .greatest: row.max() ?? 0
                case .l1: row.reduce(0) { $0 + abs($1) }
                case .l2: row.reduce(0) { $0 + $1 * $1 }.squareRoot()
                }
            for feature in row.indices { scores[feature] = divisor == 0 ? row[feature] : row[feature] / divisor }
        }
    }
}
