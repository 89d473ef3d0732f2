import GraphIR
import TensorCore

/// ONNX GatherElements (11-13): `output[…] = data[…, index[…] on axis, …]`.
struct GatherElements: Operator {
    private let axis: Int

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

    func run(_ context: RunContext) throws(SardonyxError) {
        let data = try context.input(0)
        let shape = try context.input(1).shape
        let axis = try ElementIndexing.check(
            data.shape.dims.map(Dim.known), shape.dims.map(Dim.known), axis: axis, at: context)
        let output = try context.output(0, dtype: data.dtype, shape: shape)
        guard output.elementCount > 0 else { return }
        let pick = Pick(data: data, indices: try context.input(1), output: output, axis: axis, context: context)
        let isInside = data.shape[axis] > 0 ? try withStorageType(data.dtype, pick) : false
        if !isInside {
            _ = try CheckedIndices.along(extent: data.shape[axis], of: 1, "indices", scratch: nil, context)
        }
    }

    /// Whether all indices are inside; those that are not count as the last one.
    private struct Pick: StorageBody {
        let data, indices, output: TensorView
        let axis: Int
        let context: RunContext

        func run<T>(_ type: T.Type) throws(SardonyxError) -> Bool {
            indices.dtype == .int64 ? try pick(T.self, by: Int64.self) : try pick(T.self, by: Int32.self)
        }

        /// Whether a row of indices is inside and counts from the front, as most do.
        @inline(__always)
        private static func areCounted<I: FixedWidthInteger>(
            _ indices: UnsafePointer<I>, _ count: Int, _ last: Int
        ) -> Bool {
            let last = I(truncatingIfNeeded: last)
            var signs: I = 0
            for position in 0..<count { signs |= indices[position] | (last &- indices[position]) }
            return signs >= 0
        }

        private func pick<T, I: NumericElement & FixedWidthInteger>(
            _ type: T.Type, by index: I.Type
        ) throws(SardonyxError) -> Bool {
            let (data, indices, output) = (data, indices, output)
            let box = ElementIndexing.Box(data: data.shape, indices: output.shape, axis: axis)
            let (limit, last) = (data.shape[axis], data.shape[axis] - 1)
            return try context.allInParallel(box.walk.count, cost: CheckedSize.product(box.columns, 4) ?? .max) {
                rows in
                // The sign of this becomes that of anything out of range.
                var outside = 0
                box.walk.forEach(in: rows) { row, base, _ in
                    let source = UnsafePointer(data.typed(T.self)) + base
                    let target = output.typed(T.self) + row * box.columns
                    let given = UnsafePointer(indices.typed(I.self)) + row * box.columns
                    if Self.areCounted(given, box.columns, last) {
                        for column in 0..<box.columns {
                            let index = Int(truncatingIfNeeded: given[column])
                            target[column] = source[column &* box.step &+ index &* box.along]
                        }
                        return
                    }
                    for column in 0..<box.columns {
                        var index = Int(truncatingIfNeeded: given[column])
                        index &+= (limit & (index &>> 63))
                        outside |= index | (last &- index)
                        let inside = min(UInt(bitPattern: index), UInt(bitPattern: last))
                        target[column] = source[column &* box.step &+ Int(bitPattern: inside) &* box.along]
                    }
                }
                return outside >= 0
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

    /// The indices as rows, and where the elements lie that they address.
    struct Box: Sendable {
        /// Offsets in the data, of elements of index 0.
        let walk: RowWalk
        let columns: Int
        /// From a column to the next, and from an index to the next.
        let step, along: Int

        init(data: Shape, indices: Shape, axis: Int) {
            var strides = data.strides
            along = strides[axis]
            strides[axis] = 0
            let last = indices.rank - 1
            (columns, step) = (indices[last], strides[last])
            walk = RowWalk(indices.dims, strides, indices.strides)
        }
    }

    /// Calls `body` with each position in the indices and the element of the data that it addresses, in order.
    @inline(__always)
    static func forEach(
        data: Shape, indices: Shape, axis: Int, _ checked: UnsafeMutablePointer<Int64>,
        _ body: (_ position: Int, _ element: Int) -> Void
    ) {
        guard indices.elementCount > 0 else { return }
        let box = Box(data: data, indices: indices, axis: axis)
        box.walk.forEach { row, base, _ in
            for column in 0..<box.columns {
                let position = row * box.columns + column
                body(position, base + column * box.step + Int(checked[position]) * box.along)
            }
        }
    }
}
