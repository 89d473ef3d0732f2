import GraphIR
import TensorCore

/// ONNX GatherND (11-13): slices addressed by index tuples, per batch entry.
struct GatherND: Operator {
    private let batchDims: Int
    private var scratch = IndexScratch()
    var scratchByteCount: Int { scratch.byteCount }

    init(_ node: NodeReader) throws(SardonyxError) {
        batchDims = try node.int("batch_dims", default: 0)
        guard batchDims >= 0 else {
            throw node.error(.shape, "attribute batch_dims", got: "\(batchDims)", allowed: "0 or more")
        }
    }

    private func outputDims(_ data: [Dim], _ indices: [Dim], at place: some NodePlace) throws(SardonyxError) -> [Dim]? {
        guard batchDims < min(data.count, indices.count) else {
            throw place.error(
                .shape, "batch_dims", got: "\(batchDims)",
                allowed: "less than the ranks \(data.count) and \(indices.count)", hint: nil)
        }
        for axis in 0..<batchDims
        where Broadcast.extent(data[axis], indices[axis]) == nil
            || (data[axis].value != nil && indices[axis].value != nil && data[axis] != indices[axis])
        {
            throw place.error(
                .shape, "batch axis \(axis)", got: "\(indices[axis])", allowed: "\(data[axis])", hint: nil)
        }
        guard let depth = indices[indices.count - 1].value else { return nil }
        guard depth >= 0, depth <= data.count - batchDims else {
            throw place.error(
                .shape, "indices: last axis", got: "\(depth)", allowed: "0 to \(data.count - batchDims)", hint: nil)
        }
        return Array(indices.dropLast()) + Array(data[(batchDims + depth)...])
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [.int64], "indices")
        guard let data = try context.shape(0)?.dims, let indices = try context.shape(1)?.dims,
            let output = try outputDims(data, indices, at: context)
        else { return [Inferred(dtype, nil)] }
        _ = try context.product(output)
        return [Inferred(dtype, SymbolicShape(output))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratch.reserve(forInput: 1, tuples: true, context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let data = try context.input(0)
        let indices = try context.input(1).shape.dims
        let dims = try outputDims(data.shape.dims.map(Dim.known), indices.map(Dim.known), at: context) ?? []
        let shape = try context.shape(of: dims.compactMap(\.value))
        let depth = indices[indices.count - 1]
        let rows = try CheckedIndices.tuples(
            extents: data.shape.dims[batchDims..<(batchDims + depth)], batches: indices[..<batchDims].reduce(1, *),
            of: 1,
            "indices", scratch: scratch.memory(context), context)
        let output = try context.output(0, dtype: data.dtype, shape: shape)
        let row = data.shape.dims[(batchDims + depth)...].reduce(1, *)
        rows.gather(
            from: data, to: output, outer: 1, extent: data.elementCount / max(row, 1), row: row,
            threads: context.threads)
    }
}
