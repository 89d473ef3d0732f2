import Glibc
import GraphIR
import TensorCore

/// ONNX MeanVarianceNormalization (9, 13): (x - E x) / sqrt(E (x - E x)^2 + 1e-9) over `axes` (default 0, 2, 3), the
/// constant being that of the standard's function body.
struct MeanVarianceNormalization: FloatingOperator {
    static let elementTypes: [DType] = DType.floating
    private let axes: [Int]
    private var reduced = AxisSplit()

    init(_ node: NodeReader) throws(SardonyxError) {
        axes = try node.ints("axes") ?? [0, 2, 3]
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        if let x = try context.shape(0) { _ = try context.axes(axes, rank: x.rank) }
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let shape = try context.input(0).shape
        let axes = try context.axes(axes, rank: shape.rank)
        let inner = axes.reduce(1) { $0 * shape[$1] }
        let offsets = shape.elementCount == 0 ? 0 : inner + shape.elementCount / inner
        try context.budget.check(CheckedSize.product(offsets, 16) ?? .max, for: context.node.label)
        reduced = AxisSplit(shape, axes: axes)
    }

    func apply<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>, _ context: RunContext
    ) throws(SardonyxError) {
        nonisolated(unsafe) let (x, y) = (x, y)
        let reduced = reduced
        try context.inParallel(reduced.outer.count, cost: 8 * reduced.inner.count) { rows in
            for start in reduced.outer[rows] {
                var (sum, squares) = (0.0, 0.0)
                for offset in reduced.inner { sum += Double(x[start + offset]) }
                let mean = sum / Double(reduced.inner.count)
                for offset in reduced.inner {
                    squares += (Double(x[start + offset]) - mean) * (Double(x[start + offset]) - mean)
                }
                let factor = 1 / (squares / Double(reduced.inner.count) + 1e-9).squareRoot()
                for offset in reduced.inner { y[start + offset] = T((Double(x[start + offset]) - mean) * factor) }
            }
        }
    }
}

/// The elements of a tensor as rows over chosen axes: element offsets of the rows, and of the elements within one.
struct AxisSplit: Sendable {
    private(set) var outer: [Int] = []
    private(set) var inner: [Int] = []

    init() {}

    init(_ shape: Shape, axes: [Int]) {
        guard shape.elementCount > 0 else { return }
        (outer, inner) = ([0], [0])
        for (axis, (extent, stride)) in zip(shape.dims, shape.strides).enumerated() {
            func spread(_ offsets: [Int]) -> [Int] {
                offsets.flatMap { base in (0..<extent).map { base + $0 * stride } }
            }
            if axes.contains(axis) { inner = spread(inner) } else { outer = spread(outer) }
        }
    }
}
