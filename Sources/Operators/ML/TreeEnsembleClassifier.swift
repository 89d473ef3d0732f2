import GraphIR
import TensorCore

/// ONNX TreeEnsembleClassifier (ai.onnx.ml 1, 3, 5): the class of the highest score for each row of `[N, F]`, and the
/// scores `[N, classes]`, sums of the votes of the leaves that the row ends in.
///
/// Where the leaves vote for one class only, its score s stands for the positive one of two: above one half (votes all
/// positive) or above 0 it wins, and voting for class 0 also gives the negative class its score, as ONNX Runtime does.
struct TreeEnsembleClassifier: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let forest: DecisionForest
    private let labels: ClassLabels
    private let transform: PostTransform
    private let base: [Double]
    /// The one class that is voted for, where there are at most two.
    private let onlyClass: Int?
    private let isAllPositive: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        labels = try ClassLabels(node, ints: "classlabels_int64s")
        transform = try node.choice("post_transform", default: .none)
        forest = try DecisionForest(node, role: "class", targets: labels.count)
        let base = try node.reals("base_values") ?? []
        guard base.isEmpty || base.count == 1 || base.count == labels.count else {
            throw node.error(
                .value, "attribute base_values", got: "\(base.count) elements", allowed: "1 or \(labels.count)")
        }
        let voted = Set(forest.votes.map(\.target))
        onlyClass = labels.count <= 2 && voted.count == 1 ? voted.first.map(Int.init) : nil
        isAllPositive = forest.votes.allSatisfy { $0.weight >= 0 }
        if base.count == 1, let onlyClass {
            var padded = [Double](repeating: 0, count: labels.count)
            padded[onlyClass] = base[0]
            self.base = padded
        } else {
            self.base = base
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let rows = try context.featureRows()
        try forest.requireFeatures(rows.features.value, at: context)
        return [Inferred(labels.dtype, [rows.rows]), Inferred(.float32, [rows.rows, .known(labels.count)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rows = try FeatureRows(context)
        try forest.requireFeatures(rows.features, at: context)
        let count = labels.count
        let classes = try context.output(0, dtype: labels.dtype, shape: try context.shape(of: [rows.count]))
        let output = try context.output(1, dtype: .float32, shape: try context.shape(of: [rows.count, count]))
        let pair = labels.pair
        try context.forEachRow(of: rows, into: output, width: count, cost: forest.cost) { index, row, scores in
            forest.score(row, .sum, scores)
            for target in base.indices { scores[target] += base[target] }
            if let onlyClass {
                let isPositive = scores[onlyClass] > (isAllPositive && count == 2 ? 0.5 : 0)
                pair.write(isPositive ? 1 : 0, to: classes, row: index)
            } else {
                labels.write(scores.indexOfGreatest, to: classes, row: index)
            }
            if onlyClass == 0, count == 2 {
                scores[1] = scores[0]
                transform.applyToPair(scores, complements: isAllPositive)
            } else {
                transform.apply(scores)
            }
        }
    }
}
