import CKernels
import TensorCore

/// Turns a picture into a network's input as a model card describes it.
public struct Preprocessor: Sendable {
    public let input: ModelCard.Input

    public init(_ input: ModelCard.Input) {
        self.input = input
    }

    /// The network's input `[1, 3, height, width]`, float32: resampled bilinearly (half-pixel centres, no
    /// antialiasing), then (pixel − mean) / std per channel.
    /// - Parameter threads: at most this many work on it.
    /// - Throws: `limit` when there is no memory.
    public func tensor(for image: Image, threads: Int = 1) throws(SardonyxError) -> Tensor {
        let shape = try Shape([1, 3, input.height, input.width])
        return try Tensor(dtype: .float32, shape: shape) { (memory) throws(SardonyxError) in
            try write(image, to: memory.assumingMemoryBound(to: Float.self), threads: threads)
        }
    }

    /// A batch `[N, 3, height, width]`.
    /// - Throws: `input` for no pictures, `limit` when there is no memory.
    public func tensor(for images: [Image], threads: Int = 1) throws(SardonyxError) -> Tensor {
        guard !images.isEmpty else {
            throw SardonyxError(.input, "pictures", "an empty batch", allowed: "at least 1 picture")
        }
        let shape = try Shape([images.count, 3, input.height, input.width])
        return try Tensor(dtype: .float32, shape: shape) { (memory) throws(SardonyxError) in
            let floats = memory.assumingMemoryBound(to: Float.self)
            let size = shape.elementCount / images.count
            for (index, image) in images.enumerated() {
                try write(image, to: floats + index * size, threads: threads)
            }
        }
    }

    private func write(_ image: Image, to output: UnsafeMutablePointer<Float>, threads: Int) throws(SardonyxError) {
        let threads = max(threads, 1)
        let columns = try ResampleAxis(inputs: image.width, outputs: input.width)
        let rows = try ResampleAxis(inputs: image.height, outputs: input.height)
        // A row and one pixel, in whole cache lines.
        guard let stride = CheckedSize.roundUp((image.width + 1) * 3, to: 16),
            let bytes = CheckedSize.product(stride, threads, 4)
        else {
            throw SardonyxError(.limit, "preprocessing", "scratch memory", got: "\(threads) threads")
        }
        let scratch = try Buffer(byteCount: bytes)
        defer { withExtendedLifetime((columns, rows, scratch)) {} }
        image.pixels.withUnsafeBufferPointer { pixels in
            var picture = sx_detect_picture()
            picture.pixels = pixels.baseAddress
            picture.width = Int64(image.width)
            picture.height = Int64(image.height)
            picture.out_width = Int64(input.width)
            picture.out_height = Int64(input.height)
            picture.columns = columns.kernelAxis()
            picture.rows = rows.kernelAxis()
            picture.source = input.channels == .rgb ? (0, 1, 2) : (2, 1, 0)
            picture.mean = (input.mean[0], input.mean[1], input.mean[2])
            picture.scale = (1 / input.std[0], 1 / input.std[1], 1 / input.std[2])
            picture.scratch = scratch.pointer.assumingMemoryBound(to: Float.self)
            picture.scratch_stride = Int64(stride)
            sx_detect_preprocess(&picture, output, Int32(clamping: threads))
        }
    }
}
