import GraphIR
import TensorCore

/// ONNX ArrayFeatureExtractor (ai.onnx.ml 1): elements of the last axis of x `[…, F]` in the order of the indices;
/// from a vector a matrix of one row.
struct ArrayFeatureExtractor: Operator {
    static let elementTypes: [DType] = DType.tabular + [.string]
    private var scratch = IndexScratch()
    var scratchByteCount: Int { scratch.byteCount }

    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, [.int64], "indices")
        try context.requireRank(0, 1...64, "input")
        guard let x = try context.shape(0) else { return [Inferred(try context.dtype(0), nil)] }
        let count = try context.shape(1).flatMap { $0.knownDims }.map { CheckedSize.product($0).map(Dim.known) }
        let outer = x.rank == 1 ? [Dim.known(1)] : Array(x.dims.dropLast())
        return [Inferred(try context.dtype(0), SymbolicShape(outer + [(count ?? nil) ?? .unknown]))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratch.reserve(forInput: 1, context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let outer = x.shape.rank == 1 ? [1] : Array(x.shape.dims.dropLast())
        let extent = x.shape[x.shape.rank - 1]
        let indices = try CheckedIndices.along(
            extent: extent, of: 1, "indices", scratch: scratch.memory(context), context)
        let shape = try context.shape(of: outer + [indices.count])
        let output = try context.output(0, dtype: x.dtype, shape: shape)
        indices.gather(
            from: x, to: output, outer: outer.reduce(1, *), extent: extent, row: 1, threads: context.threads)
    }
}
