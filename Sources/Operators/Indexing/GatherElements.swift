import GraphIR
import TensorCore

/// ONNX GatherElements (11-13): `output[…] = data[…, index[…] on axis, …]`.
struct GatherElements: Operator {
    private let axis: Int
    private var scratch = IndexScratch()
    var scratchByteCount: Int { scratch.byteCount }

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 0)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, DType.indices, "indices")
        let indices = try context.shape(1)
        if let data = try context.shape(0), let indices {
            try ElementIndexing.check(data.dims, indices.dims, axis: axis, at: context)
        }
        return [Inferred(dtype, indices)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratch.reserve(forInput: 1, context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let data = try context.input(0)
        let shape = try context.input(1).shape
        let axis = try ElementIndexing.check(
            data.shape.dims.map(Dim.known), shape.dims.map(Dim.known), axis: axis, at: context)
        let indices = try CheckedIndices.along(
            extent: data.shape[axis], of: 1, "indices", scratch: scratch.memory(context), context)
        let output = try context.output(0, dtype: data.dtype, shape: shape)
        try withStorageType(data.dtype, Pick(data: data, output: output, axis: axis, indices: indices.pointer))
        withExtendedLifetime(indices) {}
    }

    private struct Pick: StorageBody {
        let data: TensorView
        let output: TensorView
        let axis: Int
        let indices: UnsafeMutablePointer<Int64>

        func run<T>(_ type: T.Type) {
            let source = data.pointer.assumingMemoryBound(to: T.self)
            let target = output.pointer.assumingMemoryBound(to: T.self)
            ElementIndexing.forEach(data: data.shape, indices: output.shape, axis: axis, indices) { position, element in
                target[position] = source[element]
            }
        }
    }
}

/// How GatherElements and ScatterElements address `data` by a tensor of indices of equal rank.
enum ElementIndexing {
    /// - Returns: the axis counted from the front.
    /// - Throws: `shape` when ranks differ or the indices reach beyond the data on another axis.
    @discardableResult
    static func check(_ data: [Dim], _ indices: [Dim], axis: Int, at place: some NodePlace) throws(SardonyxError) -> Int
    {
        let axis = try place.axis(axis, rank: data.count)
        guard indices.count == data.count else {
            throw place.error(
                .shape, "indices rank", got: "\(SymbolicShape(indices))", allowed: "rank \(data.count)", hint: nil)
        }
        for other in data.indices where other != axis {
            guard let extent = data[other].value, let count = indices[other].value, count > extent else { continue }
            throw place.error(
                .shape, "indices: axis \(other)", got: "\(count)", allowed: "at most \(extent)", hint: nil)
        }
        return axis
    }

    /// Calls `body` with each position in the indices and the element of the data that it addresses, in order.
    @inline(__always)
    static func forEach(
        data: Shape, indices: Shape, axis: Int, _ checked: UnsafeMutablePointer<Int64>,
        _ body: (_ position: Int, _ element: Int) -> Void
    ) {
        guard indices.elementCount > 0 else { return }
        var strides = data.strides
        let along = strides[axis]
        strides[axis] = 0
        let last = indices.rank - 1
        let (columns, step) = (indices[last], strides[last])
        RowWalk(indices.dims, strides, indices.strides).forEach { row, base, _ in
            for column in 0..<columns {
                let position = row * columns + column
                body(position, base + column * step + Int(checked[position]) * along)
            }
        }
    }
}
