import GraphIR
import TensorCore

/// Weighted sums of features, one for each target.
struct LinearModel: Sendable {
    let targets: Int
    let features: Int
    /// `[targets, features]`
    private let coefficients: [Double]
    private let intercepts: [Double]

    /// - Parameter targets: how many there are.
    init(_ node: NodeReader, targets: Int) throws(SardonyxError) {
        coefficients = try node.required("coefficients", try node.floats("coefficients")).map(Double.init)
        intercepts = try node.floats("intercepts")?.map(Double.init) ?? []
        guard targets >= 1, !coefficients.isEmpty, coefficients.count % targets == 0 else {
            throw node.error(
                .value, "attribute coefficients", got: "\(coefficients.count) elements",
                allowed: "as many for each of \(targets) targets")
        }
        if !intercepts.isEmpty { try node.require("intercepts", count: intercepts.count, targets) }
        self.targets = targets
        features = coefficients.count / targets
    }

    func require(_ rows: FeatureRows, _ context: RunContext) throws(SardonyxError) {
        guard rows.features == features else {
            throw context.error(.shape, "features of the input", got: "\(rows.features)", allowed: "\(features)")
        }
    }

    /// Scores of some rows.
    /// - Parameters:
    ///   - rows: `[count, features]`
    ///   - scores: from one row's to the next it is `stride`; a row has one for each target.
    func score(
        _ rows: UnsafePointer<Double>, _ count: Int, to scores: UnsafeMutablePointer<Double>, stride: Int
    ) {
        coefficients.withUnsafeBufferPointer { weights in
            guard let weights = weights.baseAddress else { return }
            for target in 0..<targets {
                let first = intercepts.isEmpty ? 0 : intercepts[target]
                for row in 0..<count {
                    scores[row * stride + target] =
                        first + Self.product(rows + row * features, weights + target * features, features)
                }
            }
        }
    }

    @inline(__always)
    private static func product(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
        // Several sums at once: one alone waits for each addition before it.
        var sums = SIMD4<Double>.zero
        var index = 0
        while index + 4 <= count {
            let (a, b) = (x + index, y + index)
            sums += SIMD4(a[0], a[1], a[2], a[3]) * SIMD4(b[0], b[1], b[2], b[3])
            index += 4
        }
        var sum = sums.sum()
        while index < count {
            sum += x[index] * y[index]
            index += 1
        }
        return sum
    }

    /// About how many operations the scores of a row take.
    var cost: Int { coefficients.count / 4 }
}

/// ONNX LinearRegressor (ai.onnx.ml 1): y `[N, targets]` = x `[N, F]` · coefficientsᵀ + intercepts, transformed.
struct LinearRegressor: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let model: LinearModel
    private let transform: PostTransform

    init(_ node: NodeReader) throws(SardonyxError) {
        model = try LinearModel(node, targets: try node.int("targets", default: 1))
        transform = try node.choice("post_transform", default: .none)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let rows = try context.featureRows()
        try context.require(features: rows.features, model.features)
        return [Inferred(.float32, [rows.rows, .known(model.targets)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rows = try FeatureRows(context)
        try model.require(rows, context)
        let width = model.targets
        let output = try context.output(0, dtype: .float32, shape: try context.shape(of: [rows.count, width]))
        try context.forEachBlock(of: rows, into: output, width: width, cost: model.cost) { block, values, scores in
            model.score(values, block.count, to: scores, stride: width)
            guard transform != .none else { return }
            for row in 0..<block.count {
                transform.apply(UnsafeMutableBufferPointer(start: scores + row * width, count: width))
            }
        }
    }
}

/// ONNX LinearClassifier (ai.onnx.ml 1): the class of the highest score for each row of x `[N, F]`, and the scores
/// `[N, classes]` = x · coefficientsᵀ + intercepts, transformed. With one row of coefficients the positive one of two
/// classes wins where its score s is above 0; untransformed scores are 1 - s and s then, as in ONNX Runtime.
struct LinearClassifier: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let model: LinearModel
    private let labels: ClassLabels
    private let transform: PostTransform
    /// Columns of the scores.
    private let width: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        labels = try ClassLabels(node, ints: "classlabels_ints")
        transform = try node.choice("post_transform", default: .none)
        // `multi_class` changes nothing: the scores are the same sums.
        let intercepts = try node.floats("intercepts")?.count ?? 0
        model = try LinearModel(node, targets: labels.count == 2 && intercepts == 1 ? 1 : labels.count)
        width = labels.count
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let rows = try context.featureRows()
        try context.require(features: rows.features, model.features)
        return [Inferred(labels.dtype, [rows.rows]), Inferred(.float32, [rows.rows, .known(width)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rows = try FeatureRows(context)
        try model.require(rows, context)
        let classes = try context.output(0, dtype: labels.dtype, shape: try context.shape(of: [rows.count]))
        let output = try context.output(1, dtype: .float32, shape: try context.shape(of: [rows.count, width]))
        let pair = labels.pair
        try context.forEachBlock(of: rows, into: output, width: width, cost: model.cost) { block, values, scores in
            // The one score of a binary model is that of the positive class, the last.
            model.score(values, block.count, to: scores + (width - model.targets), stride: width)
            for (offset, index) in block.enumerated() {
                let scores = UnsafeMutableBufferPointer(start: scores + offset * width, count: width)
                if model.targets == 1 {
                    pair.write(scores[width - 1] > 0 ? 1 : 0, to: classes, row: index)
                } else {
                    labels.write(scores.indexOfGreatest, to: classes, row: index)
                }
                if model.targets == 1, width == 2 {
                    transform.applyToPair(scores, complements: true)
                } else {
                    transform.apply(scores)
                }
            }
        }
    }
}
