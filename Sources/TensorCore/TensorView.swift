/// How the elements of a tensor lie in memory.
package enum Layout: UInt8, Sendable, Hashable, CustomStringConvertible {
    /// Row-major in the order of the shape.
    case plain
    /// `[N, C, H, W]` (or `[N, C, W]`, `[N, C, D, H, W]`) held as `[N, ⌈C/16⌉, …, 16]`: 16 channels of one pixel
    /// are one cache line. Lanes beyond C are zero. float32 only.
    case blocked16

    package var description: String { self == .plain ? "plain" : "blocked16" }

    package static let blockSize = 16

    /// Elements that a tensor of this shape takes in memory, padding lanes included.
    /// - Throws: `limit` if padding the channels passes the element limit.
    package func storedElementCount(_ shape: Shape) throws(SardonyxError) -> Int {
        guard self == .blocked16, shape.rank >= 2 else { return shape.elementCount }
        var dims = shape.dims
        dims[1] = (dims[1] + Layout.blockSize - 1) / Layout.blockSize * Layout.blockSize
        return try Shape(dims).elementCount
    }
}

/// A tensor in memory that someone else owns: what an operator reads and writes during a run.
package struct TensorView: @unchecked Sendable {
    package var dtype: DType
    /// The logical shape, whatever the layout.
    package var shape: Shape
    package var layout: Layout
    package var pointer: UnsafeMutableRawPointer

    package init(dtype: DType, shape: Shape, layout: Layout = .plain, pointer: UnsafeMutableRawPointer) {
        self.dtype = dtype
        self.shape = shape
        self.layout = layout
        self.pointer = pointer
    }

    /// A view for reading a tensor, which must outlive it.
    package init(reading tensor: Tensor) {
        self.init(dtype: tensor.dtype, shape: tensor.shape, pointer: UnsafeMutableRawPointer(mutating: tensor.pointer))
    }

    package var elementCount: Int { shape.elementCount }

    /// The elements of a plain view; `Element` must match `dtype`.
    package func elements<Element>(_ type: Element.Type = Element.self) -> UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: pointer.assumingMemoryBound(to: Element.self), count: shape.elementCount)
    }

    package var floats: UnsafeMutablePointer<Float> { pointer.assumingMemoryBound(to: Float.self) }
}
