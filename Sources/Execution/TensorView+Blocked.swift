import CKernels
import TensorCore

// Between the blocked layout of feature maps and tensors.
extension TensorView {
    /// The elements of a view in blocked layout, in the order of the shape.
    /// - Throws: `limit` when there is no memory.
    func unblocked(threads: Int) throws(SardonyxError) -> Tensor {
        let tensor = try Tensor(resultOf: dtype, shape: shape)
        reorder(from: SX_LAYOUT_BLOCKED16, to: SX_LAYOUT_PLAIN, floats, tensor.buffer.pointer, threads)
        return tensor
    }

    /// Writes a float32 tensor of this view's shape into its blocked layout.
    func fillBlocked(from tensor: Tensor, threads: Int) {
        let source = tensor.pointer.assumingMemoryBound(to: Float.self)
        reorder(from: SX_LAYOUT_PLAIN, to: SX_LAYOUT_BLOCKED16, source, pointer, threads)
    }

    private func reorder(
        from source: sx_layout, to target: sx_layout, _ elements: UnsafePointer<Float>,
        _ memory: UnsafeMutableRawPointer, _ threads: Int
    ) {
        guard elementCount > 0 else { return }
        let (n, c) = (shape[0], shape[1])
        sx_reorder(
            source, target, Int64(n), Int64(c), Int64(elementCount / (n * c)), elements,
            memory.assumingMemoryBound(to: Float.self), Int32(clamping: threads))
    }
}
