/// An immutable dense tensor in row-major order.
public struct Tensor: Sendable {
    public let dtype: DType
    public let shape: Shape
    package let buffer: Buffer
    package let byteOffset: Int

    /// A view of `buffer` from `byteOffset`; the caller has checked that it fits.
    package init(dtype: DType, shape: Shape, buffer: Buffer, byteOffset: Int = 0) {
        assert(byteOffset >= 0 && byteOffset + shape.elementCount * dtype.byteSize <= buffer.byteCount)
        self.dtype = dtype
        self.shape = shape
        self.buffer = buffer
        self.byteOffset = byteOffset
    }

    /// A tensor whose memory `fill` writes completely (strings start empty).
    /// - Throws: `limit` when there is no memory, and whatever `fill` throws.
    package init(
        dtype: DType, shape: Shape, fill: (UnsafeMutableRawPointer) throws(SardonyxError) -> Void
    ) throws(SardonyxError) {
        let buffer =
            dtype == .string
            ? try Buffer(strings: shape.elementCount) : try Buffer(byteCount: shape.elementCount * dtype.byteSize)
        try fill(buffer.pointer)
        self.init(dtype: dtype, shape: shape, buffer: buffer)
    }

    /// A tensor that a run makes, whose memory, with whatever was in it before, is for the caller to write.
    /// - Throws: `limit` when there is no memory.
    package init(resultOf dtype: DType, shape: Shape) throws(SardonyxError) {
        let buffer =
            dtype == .string
            ? try Buffer(strings: shape.elementCount)
            : try Buffer(byteCount: shape.elementCount * dtype.byteSize, isRecycled: true)
        self.init(dtype: dtype, shape: shape, buffer: buffer)
    }

    /// - Parameters:
    ///   - values: the elements in row-major order.
    ///   - dims: the extents; their product must be `values.count`.
    /// - Throws: `shape` if they do not fit, `limit` when there is no memory.
    public init<Element: TensorElement>(_ values: [Element], dims: [Int]) throws(SardonyxError) {
        let shape = try Shape(dims)
        guard shape.elementCount == values.count else {
            throw SardonyxError(
                .shape, "tensor", "element count", got: "\(values.count) values",
                allowed: "\(shape.elementCount) for \(shape)")
        }
        try self.init(dtype: Element.dtype, shape: shape) { (memory) throws(SardonyxError) in
            let elements = memory.assumingMemoryBound(to: Element.self)
            for index in values.indices { elements[index] = values[index] }
        }
    }

    /// The elements in row-major order.
    /// - Throws: `value` if `Element` is not the in-memory form of `dtype`.
    public func array<Element: TensorElement>(of type: Element.Type = Element.self) throws(SardonyxError) -> [Element] {
        guard Element.dtype == dtype else {
            throw SardonyxError(.value, "tensor", "element type", got: "\(dtype)", allowed: "\(Element.dtype)")
        }
        return Array(elements(of: Element.self))
    }

    /// The bytes of all elements, valid during the call only.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(buffer) {} }
        return try body(UnsafeRawBufferPointer(start: pointer, count: byteCount))
    }

    public var byteCount: Int { shape.elementCount * dtype.byteSize }

    /// The first element; valid while `buffer` lives.
    package var pointer: UnsafeRawPointer { UnsafeRawPointer(buffer.pointer + byteOffset) }

    /// The elements; `Element` must match `dtype`. Valid while `buffer` lives.
    package func elements<Element>(of type: Element.Type) -> UnsafeBufferPointer<Element> {
        UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Element.self), count: shape.elementCount)
    }

    /// The same elements under another shape of equal element count.
    package func reshaped(_ shape: Shape) -> Tensor {
        Tensor(dtype: dtype, shape: shape, buffer: buffer, byteOffset: byteOffset)
    }
}
