import CKernels
import TensorCore

/// Turns a picture into a network's input as a model card describes it.
public struct Preprocessor: Sendable {
    public let input: ModelCard.Input

    public init(_ input: ModelCard.Input) {
        self.input = input
    }

    /// Where a picture of this size lies in the network's input.
    /// - Throws: as `Placement.init`.
    public func placement(width: Int, height: Int) throws(SardonyxError) -> Placement {
        try Placement(imageWidth: width, imageHeight: height, geometry: input.geometry)
    }

    /// The network's input `[1, 3, height, width]`, float32: resampled bilinearly (half-pixel centres, no
    /// antialiasing), then (pixel − mean) / std per channel.
    /// - Parameter threads: at most this many work on it.
    /// - Throws: `limit` when there is no memory or the input would be too large.
    public func tensor(for image: Image, threads: Int = 1) throws(SardonyxError) -> Tensor {
        try tensor(for: [image], threads: threads)
    }

    /// A batch `[N, 3, height, width]`.
    /// - Throws: `input` for no pictures or some whose inputs differ in size, `limit` when there is no memory.
    public func tensor(for images: [Image], threads: Int = 1) throws(SardonyxError) -> Tensor {
        guard let first = images.first else {
            throw SardonyxError(.input, "pictures", "an empty batch", allowed: "at least 1 picture")
        }
        let size = try placement(width: first.width, height: first.height)
        let shape = try Shape([images.count, 3, size.inputHeight, size.inputWidth])
        return try Tensor(dtype: .float32, shape: shape) { (memory) throws(SardonyxError) in
            let floats = memory.assumingMemoryBound(to: Float.self)
            let count = shape.elementCount / images.count
            for (index, image) in images.enumerated() {
                let placement = try placement(width: image.width, height: image.height)
                guard placement.inputWidth == size.inputWidth, placement.inputHeight == size.inputHeight else {
                    throw SardonyxError(
                        .input, "pictures", "a batch of different sizes",
                        got: "\(placement.inputWidth)×\(placement.inputHeight)",
                        allowed: "\(size.inputWidth)×\(size.inputHeight)")
                }
                try write(image, placement, to: floats + index * count, threads: threads)
            }
        }
    }

    private func write(
        _ image: Image, _ placement: Placement, to output: UnsafeMutablePointer<Float>, threads: Int
    ) throws(SardonyxError) {
        let threads = max(threads, 1)
        let columns = try ResampleAxis(inputs: image.width, outputs: placement.scaledWidth)
        let rows = try ResampleAxis(inputs: image.height, outputs: placement.scaledHeight)
        // A row and one pixel, in whole cache lines.
        guard let stride = CheckedSize.roundUp((image.width + 1) * 3, to: 16),
            let bytes = CheckedSize.product(stride, threads, 4)
        else {
            throw SardonyxError(.limit, "preprocessing", "scratch memory", got: "\(threads) threads")
        }
        let scratch = try Buffer(byteCount: bytes)
        defer { withExtendedLifetime((columns, rows, scratch)) {} }
        let (left, top) = (max(placement.left, 0), max(placement.top, 0))
        let plane = placement.inputWidth * placement.inputHeight
        let scale = input.std.map { 1 / $0 }
        if !placement.isWhole { pad(output, plane: plane, scale: scale) }
        image.pixels.withUnsafeBufferPointer { pixels in
            var picture = sx_detect_picture()
            picture.pixels = pixels.baseAddress
            picture.width = Int64(image.width)
            picture.height = Int64(image.height)
            picture.out_width = Int64(min(placement.scaledWidth, placement.inputWidth))
            picture.out_height = Int64(min(placement.scaledHeight, placement.inputHeight))
            picture.row_stride = Int64(placement.inputWidth)
            picture.plane_stride = Int64(plane)
            picture.columns = columns.kernelAxis(from: max(-placement.left, 0))
            picture.rows = rows.kernelAxis(from: max(-placement.top, 0))
            picture.source = input.channels == .rgb ? (0, 1, 2) : (2, 1, 0)
            picture.mean = (input.mean[0], input.mean[1], input.mean[2])
            picture.scale = (scale[0], scale[1], scale[2])
            picture.scratch = scratch.pointer.assumingMemoryBound(to: Float.self)
            picture.scratch_stride = Int64(stride)
            sx_detect_preprocess(
                &picture, output + top * placement.inputWidth + left, Int32(clamping: threads))
        }
    }

    private func pad(_ output: UnsafeMutablePointer<Float>, plane: Int, scale: [Float]) {
        for channel in 0..<3 {
            let value = input.padding.map { ($0 - input.mean[channel]) * scale[channel] } ?? 0
            (output + channel * plane).update(repeating: value, count: plane)
        }
    }
}
