import GraphIR
import TensorCore

/// ONNX MaxRoiPool (1, 22): the maxima of a grid of bins over regions `[R, 5]` (image, x1, y1, x2, y2) of x
/// `[N, C, H, W]`, to `[R, C, pooled…]`; empty bins give 0.
struct MaxRoiPool: Operator {
    static let elementTypes: [DType] = DType.floating
    private let bins: [Int]
    private let scale: Float
    /// A line of the image.
    private(set) var scratchByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        bins = try node.required("pooled_shape", node.ints("pooled_shape"))
        scale = try node.float("spatial_scale", default: 1)
        guard bins.count == 2, bins.allSatisfy({ $0 >= 1 && $0 <= CheckedSize.maximumElements }) else {
            throw node.error(.shape, "attribute pooled_shape", got: "\(bins)", allowed: "two extents from 1")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, [try context.dtype(0)], "rois")
        let (x, rois) = (try context.dims(0, rank: 4, "X"), try context.dims(1, rank: 2, "rois"))
        try context.requireShape(1, [.unknown, .known(5)], "rois")
        return [Inferred(try context.dtype(0), [rois[0], x[1], .known(bins[0]), .known(bins[1])])]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratchByteCount = try context.input(0).shape[3] * MemoryLayout<Double>.stride
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context)
        } else {
            try run(Float.self, context)
        }
    }

    /// Along one axis: where the region begins and the extent of its bins.
    private struct Span<T: BinaryFloatingPoint> {
        let start: Int
        let bin: T

        init?(_ first: T, _ last: T, bins: Int) {
            guard let start = CheckedSize.integer(first.rounded()), let end = CheckedSize.integer(last.rounded()),
                start.magnitude < 1 << 52, end.magnitude < 1 << 52
            else { return nil }
            self.start = start
            bin = T(max(end - start + 1, 1)) / T(bins)
        }

        /// The positions of a bin within an extent.
        func positions(_ index: Int, in extent: Int) -> Range<Int> {
            let low = start + (CheckedSize.integer((T(index) * bin).rounded(.down)) ?? 0)
            let high = start + (CheckedSize.integer((T(index + 1) * bin).rounded(.up)) ?? 0)
            let (first, past) = (min(max(low, 0), extent), min(max(high, 0), extent))
            return first..<max(first, past)
        }
    }

    private func run<T: Number & BinaryFloatingPoint>(_ type: T.Type, _ context: RunContext) throws(SardonyxError) {
        let (x, regions) = (try context.input(0), try context.input(1))
        let y = try context.output(
            0, dtype: x.dtype, shape: try context.shape(of: [regions.shape[0], x.shape[1]] + bins))
        guard y.elementCount > 0 else { return }
        guard let line = context.scratch?.assumingMemoryBound(to: T.self) else {
            throw context.error(.internal, "no scratch memory")
        }
        let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
        for roi in 0..<regions.shape[0] {
            try context.interruption?.check()
            let corners = regions.typed(T.self) + roi * 5
            func edge(_ index: Int) -> T { corners[index] * T(scale) }
            guard let image = CheckedSize.integer(corners[0]), image >= 0, image < x.shape[0],
                let columns = Span(edge(1), edge(3), bins: bins[1]), let rows = Span(edge(2), edge(4), bins: bins[0])
            else {
                throw context.error(
                    .value, "rois: region \(roi)", got: "\((0..<5).map { corners[$0] })",
                    allowed: "an image below \(x.shape[0]) and finite corners")
            }
            let (rowBins, columnBins) = (
                (0..<bins[0]).map { rows.positions($0, in: height) },
                (0..<bins[1]).map { columns.positions($0, in: width) }
            )
            for c in 0..<channels {
                let plane = x.typed(T.self) + (image * channels + c) * height * width
                let target = y.typed(T.self) + (roi * channels + c) * bins[0] * bins[1]
                pool(plane, width, rowBins, columnBins, target, line)
            }
        }
    }

    /// - Parameter line: takes the maxima of the lines of a bin, column by column.
    private func pool<T: Number & BinaryFloatingPoint>(
        _ plane: UnsafeMutablePointer<T>, _ width: Int, _ rows: [Range<Int>], _ columns: [Range<Int>],
        _ target: UnsafeMutablePointer<T>, _ line: UnsafeMutablePointer<T>
    ) {
        let begin = columns.reduce(width) { min($0, $1.lowerBound) }
        let count = max(columns.reduce(0) { max($0, $1.upperBound) } - begin, 0)
        var target = target
        for lines in rows {
            line.update(repeating: -T.infinity, count: count)
            for row in lines {
                let pixels = plane + row * width + begin
                for i in 0..<count {
                    let (best, value) = (line[i], pixels[i])
                    line[i] = value > best || value != value ? value : best
                }
            }
            for inside in columns {
                var best = -T.infinity
                for i in inside { best = T.maximum(best, line[i - begin]) }
                target.pointee = inside.isEmpty || lines.isEmpty ? 0 : best
                target += 1
            }
        }
    }
}
