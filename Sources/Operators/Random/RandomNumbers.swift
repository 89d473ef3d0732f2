import GraphIR
import TensorCore

/// ONNX RandomNormal, RandomUniform (1, 22) of a shape given by an attribute, and RandomNormalLike, RandomUniformLike
/// (1, 22) of the input's shape.
struct RandomNumbers: Operator {
    private enum Distribution: Sendable {
        case normal(mean: Double, deviation: Double)
        case uniform(low: Double, high: Double)
    }

    private let distribution: Distribution
    private let seed: UInt32?
    private let dtype: DType?
    /// `nil`: that of the input.
    private let shape: Shape?

    init(_ node: NodeReader) throws(SardonyxError) {
        if node.node.opType.hasPrefix("RandomNormal") {
            distribution = .normal(
                mean: Double(try node.float("mean", default: 0)), deviation: Double(try node.float("scale", default: 1))
            )
        } else {
            distribution = .uniform(
                low: Double(try node.float("low", default: 0)), high: Double(try node.float("high", default: 1)))
        }
        seed = try node.randomSeed()
        let given = try node.outputType(DType.floating)
        if node.node.opType.hasSuffix("Like") {
            (dtype, shape) = (given, nil)
        } else {
            dtype = given ?? .float32
            shape = try node.shape(of: node.required("shape", node.ints("shape")))
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        if let shape, let dtype { return [Inferred(dtype, SymbolicShape(shape))] }
        let like = try context.dtype(0)
        guard dtype != nil || DType.floating.contains(like) else {
            throw context.error(
                .unsupported, "input element type without the attribute dtype", got: "\(like)", allowed: "a float type")
        }
        return [Inferred(dtype ?? like, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let like = context.hasInput(0) ? try context.input(0) : nil
        guard let shape = shape ?? like?.shape, let dtype = dtype ?? like?.dtype else {
            throw context.error(.graph, "input 0 is missing")
        }
        let y = try context.output(0, dtype: dtype, shape: shape)
        var generator = MersenneTwister(seed: seed)
        switch distribution {
        case .normal(let mean, let deviation):
            try context.fill(y) { _ in generator.gaussian() * deviation + mean }
        case .uniform(let low, let high):
            try context.fill(y) { _ in generator.uniform() * (high - low) + low }
        }
    }
}
