import CKernels
import TensorCore

/// `destination[i…] = source[i…]` over a box of elements with any strides on both sides: what Transpose, Slice,
/// Expand, Tile, Concat, Split, Pad and their like are made of.
///
/// Offsets and strides are in elements; a source stride may be 0 or negative. Made once by `prepare`; `run` allocates
/// nothing. The maker has checked that every element is inside its tensor.
package struct StridedCopy: Sendable {
    private var dims: [Int64]
    private var sourceStrides: [Int64]
    private var destinationStrides: [Int64]
    private let sourceOffset: Int
    private let destinationOffset: Int

    package init(
        dims: [Int], sourceStrides: [Int], sourceOffset: Int = 0, destinationStrides: [Int], destinationOffset: Int = 0
    ) {
        self.dims = []
        self.sourceStrides = []
        self.destinationStrides = []
        self.sourceOffset = sourceOffset
        self.destinationOffset = destinationOffset
        // Axes that follow each other in both tensors become one, so that the kernel sees few long runs.
        for axis in dims.indices where dims[axis] != 1 {
            let (extent, from, to) = (Int64(dims[axis]), Int64(sourceStrides[axis]), Int64(destinationStrides[axis]))
            if let last = self.dims.indices.last, self.sourceStrides[last] == from * extent,
                self.destinationStrides[last] == to * extent
            {
                self.dims[last] *= extent
                self.sourceStrides[last] = from
                self.destinationStrides[last] = to
            } else {
                self.dims.append(extent)
                self.sourceStrides.append(from)
                self.destinationStrides.append(to)
            }
        }
    }

    /// Copies between the first elements of two tensors of one element type. They do not overlap, or else the box
    /// already lies where it belongs, and nothing is done.
    package func run(
        from source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, _ dtype: DType, threads: Int
    ) {
        guard !dims.contains(0) else { return }
        let size = dtype.byteSize
        let first = source + sourceOffset * size
        let target = destination + destinationOffset * size
        guard first != UnsafeRawPointer(target) else { return }
        if dtype == .string {
            copyStrings(
                first.assumingMemoryBound(to: String.self), target.assumingMemoryBound(to: String.self), axis: 0)
        } else {
            copy(first, target, size: size, axis: 0, threads: threads)
        }
    }

    /// The kernel takes a bounded rank; axes before that are walked here.
    private func copy(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, size: Int, axis: Int, threads: Int)
    {
        let rank = dims.count - axis
        guard rank > Int(SX_COPY_MAX_RANK) else {
            dims.withUnsafeBufferPointer { dims in
                sourceStrides.withUnsafeBufferPointer { from in
                    destinationStrides.withUnsafeBufferPointer { to in
                        sx_copy_strided(
                            source, target, Int32(rank), dims.baseAddress.map { $0 + axis },
                            from.baseAddress.map { $0 + axis }, to.baseAddress.map { $0 + axis }, Int32(size),
                            Int32(threads))
                    }
                }
            }
            return
        }
        for index in 0..<Int(dims[axis]) {
            copy(
                source + index * Int(sourceStrides[axis]) * size, target + index * Int(destinationStrides[axis]) * size,
                size: size, axis: axis + 1, threads: threads)
        }
    }

    private func copyStrings(_ source: UnsafePointer<String>, _ target: UnsafeMutablePointer<String>, axis: Int) {
        guard axis < dims.count else {
            target.pointee = source.pointee
            return
        }
        for index in 0..<Int(dims[axis]) {
            copyStrings(
                source + index * Int(sourceStrides[axis]), target + index * Int(destinationStrides[axis]),
                axis: axis + 1)
        }
    }
}

extension TensorView {
    /// Copies all stored elements, padding lanes included, unless both views are the same memory.
    /// The types and layouts are equal and the element counts too.
    package func copyElements(to target: TensorView, threads: Int) throws(SardonyxError) {
        guard pointer != target.pointer else { return }
        let count = try layout.storedElementCount(shape)
        StridedCopy(dims: [count], sourceStrides: [1], destinationStrides: [1])
            .run(from: pointer, to: target.pointer, dtype, threads: threads)
    }

    /// Sets every element of a plain view to the element at `value`, which has the same type.
    package func fill(with value: UnsafeRawPointer, threads: Int) {
        if dtype == .string {
            elements(String.self).update(repeating: value.assumingMemoryBound(to: String.self).pointee)
        } else {
            sx_fill(pointer, Int64(elementCount), value, Int32(dtype.byteSize), Int32(threads))
        }
    }
}
