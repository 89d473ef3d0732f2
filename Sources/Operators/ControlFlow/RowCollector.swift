import GraphIR
import TensorCore

/// Tensors of one type and shape, collected end to end along a new first axis.
struct RowCollector {
    /// Memory for so many rows; the first of them are written.
    private var memory: Tensor?
    private var rowShape = Shape.scalar
    private(set) var count = 0
    private let limit: Int?
    private let isReversed: Bool

    /// - Parameters:
    ///   - limit: the most rows there will be.
    ///   - isReversed: the first row comes last; then there will be exactly `limit` rows.
    init(atMost limit: Int?, isReversed: Bool = false) {
        self.limit = limit
        self.isReversed = isReversed && limit != nil
    }

    /// - Throws: `shape` when the tensor differs from those before in type or shape, `limit` when the budget does not
    ///   allow the memory.
    mutating func append(_ value: RuntimeValue, _ role: String, _ context: RunContext) throws(SardonyxError) {
        guard case .tensor(let tensor) = value else {
            throw context.error(.graph, role, got: "\(value.type)", allowed: "a tensor")
        }
        if let memory {
            guard tensor.dtype == memory.dtype, tensor.shape == rowShape else {
                throw context.error(
                    .shape, "\(role) of iteration \(count)", got: "\(tensor.dtype)\(tensor.shape)",
                    allowed: "\(memory.dtype)\(rowShape) as in those before")
            }
        } else {
            rowShape = tensor.shape
        }
        let memory = try memory(for: tensor.dtype, context)
        let row = isReversed ? memory.shape[0] - 1 - count : count
        copy(tensor, to: memory, row: row, threads: context.threads)
        count += 1
    }

    private func copy(_ tensor: Tensor, to memory: Tensor, row: Int, threads: Int) {
        let offset = row * rowShape.elementCount * memory.dtype.byteSize
        StridedCopy(dims: [tensor.shape.elementCount], sourceStrides: [1], destinationStrides: [1])
            .run(from: tensor.pointer, to: memory.buffer.pointer + offset, memory.dtype, threads: threads)
        withExtendedLifetime((tensor, memory)) {}
    }

    /// Memory with room for one more row: all of it at once where the number of rows is known, else twice as much
    /// whenever it is full.
    private mutating func memory(for dtype: DType, _ context: RunContext) throws(SardonyxError) -> Tensor {
        if let memory, count < memory.shape[0] { return memory }
        let wanted = isReversed ? limit ?? 0 : min(limit ?? .max, max(16, 2 * count))
        let shape = try context.shape(of: [max(wanted, count + 1)] + rowShape.dims)
        try context.budget.check(
            CheckedSize.product(shape.elementCount, dtype.byteSize) ?? .max, for: context.label)
        let larger = try Tensor(resultOf: dtype, shape: shape)
        if let memory, count > 0 {
            let written = Tensor(
                dtype: dtype, shape: try context.shape(of: [count] + rowShape.dims), buffer: memory.buffer)
            copy(written, to: larger, row: 0, threads: context.threads)
        }
        memory = larger
        return larger
    }

    /// The rows.
    /// - Parameters:
    ///   - rowType: what rows would be, when there are none.
    ///   - axis: where the new axis is to be.
    ///   - padded: so many rows, zeros behind those that were collected.
    func tensor(
        rowType: ValueType?, axis: Int = 0, paddedTo padded: Int? = nil, _ context: RunContext
    ) throws(SardonyxError) -> Tensor {
        let rows = max(count, padded ?? 0)
        var dims = rowShape.dims
        var dtype = memory?.dtype
        if dtype == nil {
            guard case .tensor(let type, let shape)? = rowType else {
                throw context.error(.unsupported, "a loop without iterations", got: "unknown type of its outputs")
            }
            dtype = type
            dims = shape?.dims.map { $0.value ?? 0 } ?? []
        }
        guard let dtype else { throw context.error(.internal, "rows without a type") }
        let shape = try context.shape(of: [rows] + dims)
        let axis = try context.axis(axis, rank: shape.rank, "axis of a scan output")
        let byteCount = CheckedSize.product(shape.elementCount, dtype.byteSize) ?? .max
        var source = memory
        if source == nil || source?.shape[0] ?? 0 < rows {
            try context.budget.check(byteCount, for: context.label)
            let whole = try Tensor(dtype: dtype, shape: shape) { (bytes) throws(SardonyxError) in
                if dtype != .string { bytes.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount) }
            }
            if let memory {
                let written = Tensor(dtype: dtype, shape: try context.shape(of: [count] + dims), buffer: memory.buffer)
                copy(written, to: whole, row: 0, threads: context.threads)
            }
            source = whole
        } else if rows > count, let source, dtype != .string {
            let row = rowShape.elementCount * dtype.byteSize
            (source.buffer.pointer + count * row).initializeMemory(
                as: UInt8.self, repeating: 0, count: (rows - count) * row)
        }
        guard let source else { throw context.error(.internal, "rows without memory") }
        let stacked = Tensor(dtype: dtype, shape: shape, buffer: source.buffer)
        return axis == 0 ? stacked : try moved(stacked, to: axis, context)
    }

    /// The tensor with its first axis put elsewhere.
    private func moved(_ stacked: Tensor, to axis: Int, _ context: RunContext) throws(SardonyxError) -> Tensor {
        var dims = Array(stacked.shape.dims.dropFirst())
        var strides = Array(stacked.shape.strides.dropFirst())
        dims.insert(stacked.shape[0], at: axis)
        strides.insert(stacked.shape.strides[0], at: axis)
        let shape = try context.shape(of: dims)
        try context.budget.check(stacked.byteCount, for: context.label)
        return try Tensor(dtype: stacked.dtype, shape: shape) { (memory) throws(SardonyxError) in
            StridedCopy(dims: dims, sourceStrides: strides, destinationStrides: shape.strides)
                .run(from: stacked.pointer, to: memory, stacked.dtype, threads: context.threads)
            withExtendedLifetime(stacked) {}
        }
    }
}
