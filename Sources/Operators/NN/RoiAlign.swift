import GraphIR
import TensorCore

/// ONNX RoiAlign (10, 16, 22): regions of x `[N, C, H, W]` given by corners `[R, 4]` (x1, y1, x2, y2) and the image
/// each is in `[R]`, sampled bilinearly at a grid in each of `output_height` by `output_width` bins, to
/// `[R, C, oH, oW]`.
struct RoiAlign: Operator {
    static let elementTypes: [DType] = DType.floating
    private enum Mode: String, CaseIterable, Sendable { case avg, max }
    private enum Coordinates: String, CaseIterable {
        case halfPixel = "half_pixel", outputHalfPixel = "output_half_pixel"
    }

    private let mode: Mode
    private let shiftsByHalf: Bool
    private let bins: (height: Int, width: Int)
    private let samplingRatio: Int
    private let scale: Float

    init(_ node: NodeReader) throws(SardonyxError) {
        mode = try node.choice("mode", default: .avg)
        let standard: Coordinates = node.opset < 16 ? .outputHalfPixel : .halfPixel
        shiftsByHalf = try node.choice("coordinate_transformation_mode", default: standard) == .halfPixel
        bins = (try node.int("output_height", default: 1), try node.int("output_width", default: 1))
        samplingRatio = try node.int("sampling_ratio", default: 0)
        scale = try node.float("spatial_scale", default: 1)
        let limit = 1 << 20
        guard (1...limit).contains(bins.height), (1...limit).contains(bins.width), (0...limit).contains(samplingRatio)
        else {
            throw node.error(
                .value, "output extents and sampling_ratio", got: "\(bins.height), \(bins.width), \(samplingRatio)",
                allowed: "extents from 1, a ratio from 0, to 2^20")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [dtype], "rois")
        try context.requireDType(2, [.int64], "batch_indices")
        let (x, rois) = (try context.dims(0, rank: 4, "X"), try context.dims(1, rank: 2, "rois"))
        try context.requireShape(1, [.unknown, .known(4)], "rois")
        try context.requireShape(2, [rois[0]], "batch_indices")
        return [Inferred(dtype, [rois[0], x[1], .known(bins.height), .known(bins.width)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context)
        } else {
            try run(Float.self, context)
        }
    }

    /// The four pixels around a sample and their weights.
    private struct Sample<T: Number & BinaryFloatingPoint> {
        var index = (0, 0, 0, 0)
        var weight: (T, T, T, T) = (0, 0, 0, 0)

        init(_ y: T, _ x: T, _ height: Int, _ width: Int) {
            // Samples more than a pixel outside, and NaN, count as zero.
            guard y >= -1, x >= -1, y <= T(height), x <= T(width) else { return }
            let (top, bottom, low) = Sample.neighbours(Swift.max(y, 0), height)
            let (left, right, far) = Sample.neighbours(Swift.max(x, 0), width)
            index = (top * width + left, top * width + right, bottom * width + left, bottom * width + right)
            weight = ((1 - low) * (1 - far), (1 - low) * far, low * (1 - far), low * far)
        }

        private static func neighbours(_ position: T, _ extent: Int) -> (Int, Int, T) {
            let first = Int(position)
            return first >= extent - 1 ? (extent - 1, extent - 1, 0) : (first, first + 1, position - T(first))
        }

        @inline(__always)
        func parts(_ plane: UnsafeMutablePointer<T>) -> (T, T, T, T) {
            (
                weight.0 * plane[index.0], weight.1 * plane[index.1], weight.2 * plane[index.2],
                weight.3 * plane[index.3]
            )
        }
    }

    private func run<T: Number & BinaryFloatingPoint>(_ type: T.Type, _ context: RunContext) throws(SardonyxError) {
        let (x, rois) = (try context.input(0), try context.input(1).typed(T.self))
        let y = try context.output(
            0, dtype: x.dtype,
            shape: try context.shape(of: [try context.input(1).shape[0], x.shape[1], bins.height, bins.width]))
        guard y.elementCount > 0 else { return }
        let (height, width) = (x.shape[2], x.shape[3])
        guard height > 0, width > 0 else {
            throw context.error(.shape, "X", got: "\(x.shape)", allowed: "at least one pixel")
        }
        let images = try CheckedIndices.along(
            extent: x.shape[0], of: 2, "batch_indices", scratch: nil, context)
        for roi in 0..<y.shape[0] {
            try context.interruption?.check()
            let (samples, perBin) = try samples(rois + roi * 4, height, width, roi, context)
            let first = samples.pointer.assumingMemoryBound(to: Sample<T>.self)
            let image = Int(images.pointer[roi])
            for c in 0..<x.shape[1] {
                let plane = x.typed(T.self) + (image * x.shape[1] + c) * height * width
                let target = y.typed(T.self) + (roi * x.shape[1] + c) * bins.height * bins.width
                for bin in 0..<(bins.height * bins.width) {
                    let own = first + bin * perBin
                    target[bin] = mode == .avg ? average(own, perBin, plane) : greatest(own, perBin, plane)
                }
            }
            withExtendedLifetime(samples) {}
        }
    }

    private func average<T: Number & BinaryFloatingPoint>(
        _ samples: UnsafeMutablePointer<Sample<T>>, _ count: Int, _ plane: UnsafeMutablePointer<T>
    ) -> T {
        var sum: T = 0
        for i in 0..<count {
            let (a, b, c, d) = samples[i].parts(plane)
            sum += a + b + c + d
        }
        return sum / T(Swift.max(count, 1))
    }

    private func greatest<T: Number & BinaryFloatingPoint>(
        _ samples: UnsafeMutablePointer<Sample<T>>, _ count: Int, _ plane: UnsafeMutablePointer<T>
    ) -> T {
        guard count > 0 else { return 0 }
        var best = -T.infinity
        for i in 0..<count {
            let (a, b, c, d) = samples[i].parts(plane)
            best = Swift.max(best, a, b, Swift.max(c, d))
        }
        return best
    }

    /// The samples of all bins of a region, and how many a bin has.
    private func samples<T: Number & BinaryFloatingPoint>(
        _ corners: UnsafeMutablePointer<T>, _ height: Int, _ width: Int, _ roi: Int, _ context: RunContext
    ) throws(SardonyxError) -> (Buffer, Int) {
        let shift: T = shiftsByHalf ? 0.5 : 0
        func edge(_ index: Int) -> T { corners[index] * T(scale) - shift }
        let (left, top) = (edge(0), edge(1))
        var (regionWidth, regionHeight) = (edge(2) - left, edge(3) - top)
        if !shiftsByHalf { (regionWidth, regionHeight) = (Swift.max(regionWidth, 1), Swift.max(regionHeight, 1)) }
        let (binHeight, binWidth) = (regionHeight / T(bins.height), regionWidth / T(bins.width))
        func grid(_ extent: T) throws(SardonyxError) -> Int {
            if samplingRatio > 0 { return samplingRatio }
            guard let count = CheckedSize.integer(extent.rounded(.up)) else {
                throw context.error(.value, "rois: region \(roi)", got: "a bin of \(extent)", allowed: "finite extents")
            }
            return Swift.max(count, 0)
        }
        let (rows, columns) = (try grid(binHeight), try grid(binWidth))
        guard let perBin = CheckedSize.product(rows, columns) else {
            throw context.error(.limit, "rois: region \(roi)", got: "\(rows) by \(columns) samples a bin")
        }
        let buffer = try context.working(
            Sample<T>.self, count: CheckedSize.product(bins.height, bins.width, perBin))
        var target = buffer.pointer.assumingMemoryBound(to: Sample<T>.self)
        for row in 0..<bins.height {
            for column in 0..<bins.width {
                try context.interruption?.check()
                for i in 0..<rows {
                    let y = top + T(row) * binHeight + (T(i) + 0.5) * binHeight / T(rows)
                    for j in 0..<columns {
                        let x = left + T(column) * binWidth + (T(j) + 0.5) * binWidth / T(columns)
                        target.initialize(to: Sample(y, x, height, width))
                        target += 1
                    }
                }
            }
        }
        return (buffer, perBin)
    }
}
