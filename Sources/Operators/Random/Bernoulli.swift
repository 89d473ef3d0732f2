import GraphIR
import TensorCore

/// ONNX Bernoulli (15, 22): 1 with the probability that the input's element gives, else 0.
struct Bernoulli: Operator {
    static let elementTypes: [DType] = DType.floating
    private let dtype: DType?
    private let seed: UInt32?

    init(_ node: NodeReader) throws(SardonyxError) {
        dtype = try node.outputType(DType.numeric + [.bool])
        seed = try node.randomSeed()
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let like = try context.dtype(0)
        return [Inferred(dtype ?? like, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let y = try context.output(0, dtype: dtype ?? x.dtype, shape: x.shape)
        var generator = MersenneTwister(seed: seed)
        try context.map(x, to: y) { generator.bernoulli($0) }
    }
}
