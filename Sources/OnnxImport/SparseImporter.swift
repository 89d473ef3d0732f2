import COnnx
import GraphIR
import TensorCore

extension TensorImporter {
    /// - Throws: `tensor` where values, indices and extents contradict each other; what `constant` throws.
    func sparse(_ proto: Onnx__SparseTensorProto, place: String) throws(SardonyxError) -> SparseConstant {
        guard let values = proto.values?.pointee, let indices = proto.indices?.pointee else {
            throw SardonyxError(.tensor, place, "values or indices are missing")
        }
        let dims = UnsafeBufferPointer(start: proto.dims, count: proto.n_dims).map(Int.init)
        let shape: Shape
        do throws(SardonyxError) { shape = try Shape(dims) } catch {
            throw SardonyxError(.tensor, place, error.message)
        }
        let sparse = SparseConstant(
            shape: shape, values: try constant(values, place: "\(place) values"),
            indices: try constant(indices, place: "\(place) indices"))
        let count = sparse.values.shape.elementCount
        let isLinear = sparse.indices.shape.dims == [count]
        guard sparse.values.shape.rank == 1, sparse.indices.dtype == .int64,
            isLinear || sparse.indices.shape.dims == [count, shape.rank]
        else {
            throw SardonyxError(
                .tensor, place, "shapes of a sparse tensor",
                got: "values \(sparse.values.type), indices \(sparse.indices.type)",
                allowed: "values [NNZ], indices int64[NNZ] or int64[NNZ, \(shape.rank)]")
        }
        return sparse
    }

    /// The dense form of a sparse tensor, made each time it is asked for.
    /// - Throws: `limit` if it would pass `densestByteCount`, `unsupported` for strings.
    func dense(_ sparse: SparseConstant, place: String) throws(SardonyxError) -> Constant {
        let dtype = sparse.values.dtype
        guard dtype != .string else { throw SardonyxError(.unsupported, place, "sparse strings") }
        let byteCount = CheckedSize.product(sparse.shape.elementCount, dtype.byteSize) ?? .max
        guard byteCount <= TensorImporter.densestByteCount else {
            throw SardonyxError(
                .limit, place, "dense form of a sparse tensor", got: "\(byteCount) bytes",
                allowed: "\(TensorImporter.densestByteCount)")
        }
        if let fault = sparse.values.fault ?? sparse.indices.fault {
            return Constant(dtype: dtype, shape: sparse.shape, missing: fault)
        }
        return Constant(dtype: dtype, shape: sparse.shape) { () throws(SardonyxError) in
            do throws(SardonyxError) { return try sparse.dense() } catch { throw error.placed(at: place) }
        }
    }
}

extension SparseConstant {
    /// The dense tensor: zero but at the indices.
    /// - Throws: `tensor` for an index out of range.
    fileprivate func dense() throws(SardonyxError) -> Tensor {
        let source = try values.tensor()
        let positions: [Int64] = try indices.tensor().array()
        let size = source.dtype.byteSize
        let strides = indices.shape.rank == 1 ? [1] : shape.strides
        let extents = indices.shape.rank == 1 ? [shape.elementCount] : shape.dims
        return try Tensor(dtype: source.dtype, shape: shape) { (memory) throws(SardonyxError) in
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: shape.elementCount * size)
            for element in 0..<source.shape.elementCount {
                var offset = 0
                for axis in strides.indices {
                    let index = positions[element * strides.count + axis]
                    guard index >= 0, index < extents[axis] else {
                        throw SardonyxError(
                            .tensor, "", "index \(element) on axis \(axis)", got: "\(index)",
                            allowed: "0 … \(extents[axis] - 1)")
                    }
                    offset += Int(index) * strides[axis]
                }
                (memory + offset * size).copyMemory(from: source.pointer + element * size, byteCount: size)
            }
        }
    }
}
