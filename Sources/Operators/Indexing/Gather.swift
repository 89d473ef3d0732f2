import CKernels
import GraphIR
import TensorCore

/// ONNX Gather (1-13): slices of `axis` in the order of the indices.
struct Gather: Operator {
    private let axis: Int
    private var scratch = IndexScratch()
    var scratchByteCount: Int { scratch.byteCount }

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 0)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, DType.indices, "indices")
        guard let data = try context.shape(0) else { return [Inferred(dtype, nil)] }
        let axis = try context.axis(axis, rank: data.rank)
        guard let indices = try context.shape(1) else { return [Inferred(dtype, nil)] }
        let output = SymbolicShape(Array(data.dims[..<axis]) + indices.dims + Array(data.dims[(axis + 1)...]))
        _ = try context.product(output.dims)
        return [Inferred.following(dtype, output, try picked(context))]
    }

    private func picked(_ context: InferContext) throws(SardonyxError) -> [Dim]? {
        guard let all = try context.content(0), let indices = try context.integers(1),
            indices.count <= Inferred.contentLimit
        else { return nil }
        guard indices.allSatisfy({ $0 >= -all.count && $0 < all.count }) else { return nil }
        return indices.map { all[$0 < 0 ? $0 + all.count : $0] }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratch.reserve(forInput: 1, context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let data = try context.input(0)
        let indices = try context.input(1)
        let axis = try context.axis(axis, rank: data.shape.rank)
        let dims = data.shape.dims
        let shape = try context.shape(of: Array(dims[..<axis]) + indices.shape.dims + Array(dims[(axis + 1)...]))
        let rows = try CheckedIndices.along(
            extent: dims[axis], of: 1, "indices", scratch: scratch.memory(context), context)
        let output = try context.output(0, dtype: data.dtype, shape: shape)
        let outer = dims[..<axis].reduce(1, *)
        let row = dims[(axis + 1)...].reduce(1, *)
        rows.gather(from: data, to: output, outer: outer, extent: dims[axis], row: row, threads: context.threads)
    }
}

extension CheckedIndices {
    /// `target[o, i, :] = source[o, index[i], :]` for rows of `row` elements.
    func gather(from source: TensorView, to target: TensorView, outer: Int, extent: Int, row: Int, threads: Int) {
        guard target.elementCount > 0 else { return }
        guard source.dtype == .string else {
            sx_gather_rows(
                source.pointer, pointer, target.pointer, Int64(outer), Int64(extent), Int64(count),
                Int64(row * source.dtype.byteSize), Int32(threads))
            return
        }
        let from = source.pointer.assumingMemoryBound(to: String.self)
        let to = target.pointer.assumingMemoryBound(to: String.self)
        for block in 0..<outer {
            for index in 0..<count {
                (to + (block * count + index) * row).update(
                    from: from + (block * extent + Int(pointer[index])) * row, count: row)
            }
        }
    }
}
