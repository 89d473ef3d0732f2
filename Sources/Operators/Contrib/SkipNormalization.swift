import CKernels
import GraphIR
import TensorCore

/// com.microsoft SkipLayerNormalization (inputs x, skip, gamma, beta, bias) and SkipSimplifiedLayerNormalization (x,
/// skip, gamma, bias): s = x + skip + bias, y = layer or RMS normalisation of s along its last axis. Output 3 is s.
struct SkipNormalization: Operator {
    static let elementTypes: [DType] = [.float32, .float16, .bfloat16]
    private let epsilon: Float
    private let centers: Bool

    private var betaInput: Int? { centers ? 3 : nil }
    private var biasInput: Int { centers ? 4 : 3 }

    init(_ node: NodeReader) throws(SardonyxError) {
        centers = node.node.opType == "SkipLayerNormalization"
        epsilon = try node.float("epsilon", default: 1e-12)
        guard !node.hasOutput(1), !node.hasOutput(2) else {
            throw node.error(
                .unsupported, "outputs mean and inv_std_var", got: "some", allowed: "y and the sum")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let type = try context.input(0).type
        for index in 1..<5 where context.hasInput(index) {
            try context.requireDType(index, [try context.dtype(0)], "input \(index)")
        }
        guard try context.input(1).type.dtype != nil, context.hasInput(2) else {
            throw context.error(.graph, "skip or gamma is missing")
        }
        if let x = try context.shape(0) {
            try context.requireRank(0, 2...3, "input")
            if let skip = try context.shape(1) {
                for (a, b) in zip(x.dims.reversed(), skip.dims.reversed()) where b != .known(1) {
                    try context.requireEqual(a, b, "extents of input and skip")
                }
                guard skip.rank <= x.rank else {
                    throw context.error(.shape, "skip rank", got: "\(skip)", allowed: "at most that of \(x)")
                }
            }
            for index in 2..<5 where context.hasInput(index) {
                try context.requireRank(index, 1...1, "input \(index)")
                guard let shape = try context.shape(index) else { continue }
                try context.requireEqual(
                    shape.dims[0], x.dims[x.rank - 1], "input \(index) and last axis of x")
            }
        }
        return [Inferred(type), Inferred(.float32, nil), Inferred(.float32, nil), Inferred(type)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, skip, y) = (try context.input(0), try context.input(1), try context.output(0))
        guard x.elementCount > 0, let columns = x.shape.last else { return }
        let rows = x.elementCount / columns
        let bias = context.hasInput(biasInput) ? try context.input(biasInput).floats : nil
        let sum = context.hasOutput(3) ? try context.output(3).floats : y.floats
        let strides = Broadcast.strides(of: skip.shape, in: x.shape)
        let inner = x.shape[x.shape.rank - 2]
        for row in 0..<rows {
            let batch = x.shape.rank == 3 ? row / inner * strides[0] : 0
            let added = skip.floats + batch + row % inner * strides[x.shape.rank - 2]
            let step = strides[x.shape.rank - 1]
            let (from, to) = (x.floats + row * columns, sum + row * columns)
            for i in 0..<columns { to[i] = from[i] + added[i * step] + (bias?[i] ?? 0) }
        }
        let gamma = try context.input(2).floats
        if centers {
            let beta = try betaInput.flatMap { (index) throws(SardonyxError) in
                context.hasInput(index) ? try context.input(index).floats : nil
            }
            sx_layer_norm(
                sum, gamma, beta, y.floats, nil, nil, Int64(rows), Int64(columns), epsilon,
                Int32(context.threads))
        } else {
            sx_rms_norm(
                sum, gamma, y.floats, Int64(rows), Int64(columns), epsilon, Int32(context.threads))
        }
    }
}
