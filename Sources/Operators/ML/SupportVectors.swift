import Glibc
import GraphIR
import TensorCore

/// The support vectors of a machine and the kernel that compares features with them.
struct SupportVectors: Sendable {
    private enum Kernel: String, CaseIterable {
        case linear = "LINEAR", poly = "POLY", rbf = "RBF", sigmoid = "SIGMOID"
    }
    private let kernel: Kernel
    private let gamma, offset, degree: Double
    let count: Int
    let features: Int
    /// `[count, features]`
    private let vectors: [Double]

    /// - Parameter count: how many vectors there are; 0: none, the coefficients are weights of features.
    init(_ node: NodeReader, count: Int) throws(SardonyxError) {
        kernel = try node.choice("kernel_type", default: .linear)
        let parameters = try node.floats("kernel_params")?.map(Double.init) ?? []
        guard parameters.isEmpty || parameters.count == 3 else {
            throw node.error(
                .value, "attribute kernel_params", got: "\(parameters.count) elements", allowed: "gamma, coef0, degree")
        }
        (gamma, offset, degree) = parameters.isEmpty ? (0, 0, 0) : (parameters[0], parameters[1], parameters[2])
        vectors = count == 0 ? [] : try node.floats("support_vectors")?.map(Double.init) ?? []
        guard count == 0 || !vectors.isEmpty && vectors.count % count == 0 else {
            throw node.error(
                .value, "attribute support_vectors", got: "\(vectors.count) elements",
                allowed: "as many for each of \(count) vectors")
        }
        self.count = count
        features = count == 0 ? 0 : vectors.count / count
    }

    /// The kernel of a row of `features` features and a vector.
    func kernel(_ row: UnsafeBufferPointer<Double>, _ vector: Int) -> Double {
        vectors.withUnsafeBufferPointer { vectors in
            let start = vector * features
            var sum = 0.0
            if kernel == .rbf {
                for feature in 0..<features {
                    let difference = row[feature] - vectors[start + feature]
                    sum += difference * difference
                }
                return exp(-gamma * sum)
            }
            for feature in 0..<features { sum += row[feature] * vectors[start + feature] }
            return switch kernel {
            case .poly: pow(gamma * sum + offset, degree)
            case .sigmoid: tanh(gamma * sum + offset)
            case .linear, .rbf: sum
            }
        }
    }

    /// About how many operations a row takes.
    var cost: Int { vectors.count }
}

/// ONNX SVMRegressor (ai.onnx.ml 1): y `[N, 1]` = Σ coefficient · kernel(x, support vector) + rho for each row of
/// x `[N, F]`, or the sign of it (1, -1) for a one-class machine; without support vectors the product with weights.
struct SVMRegressor: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let support: SupportVectors
    private let coefficients: [Double]
    private let rho: Double
    private let isOneClass: Bool
    private let transform: PostTransform

    init(_ node: NodeReader) throws(SardonyxError) {
        let count = try node.int("n_supports", default: 0)
        guard 0...CheckedSize.maximumElements ~= count else {
            throw node.error(.value, "attribute n_supports", got: "\(count)", allowed: "0 or more")
        }
        support = try SupportVectors(node, count: count)
        coefficients = try node.required("coefficients", try node.floats("coefficients")).map(Double.init)
        if count > 0 { try node.require("coefficients", count: coefficients.count, count) }
        let rho = try node.required("rho", try node.floats("rho"))
        guard let first = rho.first else { throw node.error(.value, "attribute rho has no elements") }
        self.rho = Double(first)
        isOneClass = try node.bool("one_class", default: false)
        transform = try node.choice("post_transform", default: .none)
    }

    private var features: Int { support.count == 0 ? coefficients.count : support.features }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let rows = try context.featureRows()
        try context.require(features: rows.features, features)
        return [Inferred(.float32, [rows.rows, .known(1)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rows = try FeatureRows(context)
        guard rows.features == features else {
            throw context.error(.shape, "features of the input", got: "\(rows.features)", allowed: "\(features)")
        }
        let output = try context.output(0, dtype: .float32, shape: try context.shape(of: [rows.count, 1]))
        try context.forEachRow(of: rows, into: output, width: 1, cost: max(support.cost, features)) { _, row, scores in
            var sum = rho
            for (position, coefficient) in coefficients.enumerated() {
                sum += coefficient * (support.count == 0 ? row[position] : support.kernel(row, position))
            }
            scores[0] = isOneClass ? (sum > 0 ? 1 : -1) : sum
            transform.apply(scores)
        }
    }
}
