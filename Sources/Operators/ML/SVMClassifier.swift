import Glibc
import GraphIR
import TensorCore

/// ONNX SVMClassifier (ai.onnx.ml 1): the class of each row of x `[N, F]` and its scores.
///
/// With support vectors there is a machine for each pair of classes (i, j); a result above 0 is a vote for i, and the
/// class of most votes wins. Scores are the results of the machines, `[N, pairs]` (of two classes -s and s), or, with
/// `prob_a` and `prob_b`, a probability for each class. Without support vectors each class has weights of its own.
struct SVMClassifier: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let support: SupportVectors
    private let labels: ClassLabels
    private let transform: PostTransform
    /// First vector of each class, and the end.
    private let starts: [Int]
    /// `[classes - 1, vectors]`, or `[classes, features]` without support vectors.
    private let coefficients: [Double]
    private let rho: [Double]
    /// By pair; empty: no probabilities.
    private let slopes, offsets: [Double]
    private let features: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        labels = try ClassLabels(node, ints: "classlabels_ints")
        transform = try node.choice("post_transform", default: .none)
        var starts = [0]
        for count in try node.ints("vectors_per_class") ?? [] {
            guard count >= 0, let end = CheckedSize.sum(starts[starts.count - 1], count) else {
                throw node.error(.value, "attribute vectors_per_class", got: "\(count)", allowed: "0 or more")
            }
            starts.append(end)
        }
        let vectors = starts[starts.count - 1]
        self.starts = starts
        support = try SupportVectors(node, count: vectors)
        coefficients = try node.required("coefficients", try node.floats("coefficients")).map(Double.init)
        rho = try node.required("rho", try node.floats("rho")).map(Double.init)
        slopes = try node.floats("prob_a")?.map(Double.init) ?? []
        offsets = try node.floats("prob_b")?.map(Double.init) ?? []
        let classes = labels.count
        guard vectors > 0 else {
            guard !rho.isEmpty, !coefficients.isEmpty, coefficients.count % classes == 0 else {
                throw node.error(
                    .value, "attributes rho and coefficients", got: "\(rho.count) and \(coefficients.count) elements",
                    allowed: "1 or more, and as many for each of \(classes) classes")
            }
            features = coefficients.count / classes
            return
        }
        features = support.features
        let pairs = classes * (classes - 1) / 2
        try node.require("vectors_per_class", count: starts.count - 1, classes)
        guard classes >= 2 else { throw node.error(.value, "class labels", got: "1", allowed: "2 or more") }
        guard coefficients.count == CheckedSize.product(classes - 1, vectors) else {
            throw node.error(
                .value, "attribute coefficients", got: "\(coefficients.count) elements",
                allowed: "\(classes - 1) for each of \(vectors) vectors")
        }
        try node.require("rho", count: rho.count, pairs)
        if !slopes.isEmpty || !offsets.isEmpty {
            try node.require("prob_a", count: slopes.count, pairs)
            try node.require("prob_b", count: offsets.count, pairs)
        }
    }

    private var hasPairs: Bool { support.count > 0 }
    /// Columns of the scores.
    private var width: Int {
        let classes = labels.count
        return hasPairs && slopes.isEmpty && classes > 2 ? classes * (classes - 1) / 2 : classes
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let rows = try context.featureRows()
        try context.require(features: rows.features, features)
        return [Inferred(labels.dtype, [rows.rows]), Inferred(.float32, [rows.rows, .known(width)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rows = try FeatureRows(context)
        guard rows.features == features else {
            throw context.error(.shape, "features of the input", got: "\(rows.features)", allowed: "\(features)")
        }
        let classes = try context.output(0, dtype: labels.dtype, shape: try context.shape(of: [rows.count]))
        let output = try context.output(1, dtype: .float32, shape: try context.shape(of: [rows.count, width]))
        let pair = labels.pair
        let cost = max(support.cost, coefficients.count)
        try context.forEachRow(of: rows, into: output, width: width, cost: cost) { index, row, scores in
            if hasPairs {
                labels.write(scoreByPairs(row, scores), to: classes, row: index)
            } else {
                for label in 0..<width {
                    scores[label] = rho[0]
                    for feature in 0..<features {
                        scores[label] += coefficients[label * features + feature] * row[feature]
                    }
                }
                if width == 1 {
                    pair.write(scores[0] > 0 ? 1 : 0, to: classes, row: index)
                } else {
                    labels.write(scores.indexOfGreatest, to: classes, row: index)
                }
            }
            if hasPairs, slopes.isEmpty, labels.count == 2 {
                scores[1] = scores[0]
                transform.applyToPair(scores, complements: false)
            } else {
                transform.apply(scores)
            }
        }
    }

    /// - Returns: the class with most votes, the first of equal ones.
    private func scoreByPairs(
        _ row: UnsafeBufferPointer<Double>, _ scores: UnsafeMutableBufferPointer<Double>
    ) -> Int {
        let (classes, vectors) = (labels.count, support.count)
        let kernels = (0..<vectors).map { support.kernel(row, $0) }
        var votes = [Int](repeating: 0, count: classes)
        var probabilities = PairwiseProbabilities(classes: slopes.isEmpty ? 0 : classes)
        var pair = 0
        for i in 0..<classes {
            for j in (i + 1)..<max(classes, i + 1) {
                var sum = rho[pair]
                for vector in starts[i]..<starts[i + 1] {
                    sum += coefficients[(j - 1) * vectors + vector] * kernels[vector]
                }
                for vector in starts[j]..<starts[j + 1] { sum += coefficients[i * vectors + vector] * kernels[vector] }
                votes[sum > 0 ? i : j] += 1
                if slopes.isEmpty {
                    scores[pair] = sum
                } else {
                    probabilities.set(i, over: j, to: 1 / (1 + exp(sum * slopes[pair] + offsets[pair])))
                }
                pair += 1
            }
        }
        if !slopes.isEmpty { probabilities.couple(into: scores) }
        return votes.indices.reduce(0) { votes[$1] > votes[$0] ? $1 : $0 }
    }
}

/// Probabilities of the classes from those of each pair (Wu, Lin and Weng, Probability Estimates for Multi-class
/// Classification by Pairwise Coupling, 2004, second method).
private struct PairwiseProbabilities {
    private let classes: Int
    /// `[classes, classes]`: of class i, if it is i or j.
    private var pairs: [Double]

    init(classes: Int) {
        self.classes = classes
        pairs = [Double](repeating: 0, count: classes * classes)
    }

    mutating func set(_ i: Int, over j: Int, to probability: Double) {
        pairs[i * classes + j] = min(max(probability, 1e-7), 1 - 1e-7)
        pairs[j * classes + i] = 1 - pairs[i * classes + j]
    }

    func couple(into p: UnsafeMutableBufferPointer<Double>) {
        var q = [Double](repeating: 0, count: classes * classes)
        for i in 0..<classes {
            p[i] = 1 / Double(classes)
            for j in 0..<classes where j != i {
                let (r, s) = (pairs[j * classes + i], pairs[i * classes + j])
                q[i * classes + i] += r * r
                q[i * classes + j] = -r * s
            }
        }
        var products = [Double](repeating: 0, count: classes)
        for _ in 0..<max(100, classes) {
            var total = 0.0
            for i in 0..<classes {
                products[i] = 0
                for j in 0..<classes { products[i] += q[i * classes + j] * p[j] }
                total += p[i] * products[i]
            }
            if products.allSatisfy({ abs($0 - total) < 0.005 / Double(classes) }) { return }
            for i in 0..<classes {
                let diagonal = q[i * classes + i]
                let step = (total - products[i]) / diagonal
                p[i] += step
                total = (total + step * (step * diagonal + 2 * products[i])) / ((1 + step) * (1 + step))
                for j in 0..<classes {
                    products[j] = (products[j] + step * q[i * classes + j]) / (1 + step)
                    p[j] /= 1 + step
                }
            }
        }
    }
}
