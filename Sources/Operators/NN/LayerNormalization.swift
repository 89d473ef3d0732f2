import CKernels
import GraphIR
import TensorCore

/// ONNX LayerNormalization (17; outputs y, mean, 1/standard deviation) and RMSNormalization (23): x normalised over
/// its axes from `axis` on, times scale, plus bias; scale and bias broadcast to those axes.
struct LayerNormalization: Operator {
    static let elementTypes: [DType] = DType.floating
    private let axis: Int
    private let epsilon: Float
    private let centers: Bool
    private var extents: (rows: Int, columns: Int) = (0, 0)
    /// How scale and bias spread over one row, when they are not a row already.
    private var spreads: [StridedCopy?] = [nil, nil]

    init(_ node: NodeReader) throws(SardonyxError) {
        centers = node.node.opType == "LayerNormalization"
        axis = try node.int("axis", default: -1)
        epsilon = try node.float("epsilon", default: 1e-5)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let type = try context.input(0).type
        guard let x = try context.shape(0) else {
            return [Inferred(type), Inferred(.float32, nil), Inferred(.float32, nil)]
        }
        let first = try context.axis(axis, rank: x.rank)
        for index in 1...2 where context.hasInput(index) {
            guard let shape = try context.shape(index), shape.rank > 0 else { continue }
            guard let merged = try Broadcast.shape([x, shape], at: context), merged.rank == x.rank,
                zip(merged.dims, x.dims).allSatisfy({ $0 == $1 || $0.value == nil || $1.value == nil })
            else {
                throw context.error(
                    .shape, index == 1 ? "scale" : "bias", got: "\(shape)", allowed: "a shape that broadcasts to \(x)")
            }
        }
        let statistics = SymbolicShape(x.dims[..<first] + [Dim](repeating: .known(1), count: x.rank - first))
        let wide: DType = try context.dtype(0) == .float64 ? .float64 : .float32
        return [Inferred(type), Inferred(wide, statistics), Inferred(wide, statistics)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0).shape
        let first = try context.axis(axis, rank: x.rank)
        let row = try context.shape(of: Array(x.dims[first...]))
        extents = (x.dims[..<first].reduce(1, *), row.elementCount)
        for index in 1...2 where context.hasInput(index) {
            let shape = try context.input(index).shape
            guard shape.dims.dropLast(min(row.rank, shape.rank)).allSatisfy({ $0 == 1 }) else {
                throw context.error(
                    .unsupported, index == 1 ? "scale" : "bias", got: "\(shape)",
                    allowed: "one that varies over \(row) only")
            }
            let inner = try context.shape(of: Array(shape.dims.suffix(row.rank)))
            spreads[index - 1] =
                inner.elementCount == row.elementCount
                ? nil
                : StridedCopy(
                    dims: row.dims, sourceStrides: Broadcast.strides(of: inner, in: row),
                    destinationStrides: row.strides)
        }
    }

    /// Scale and bias as whole rows.
    var scratchByteCount: Int { spreads.contains { $0 != nil } ? 2 * extents.columns * 8 : 0 }

    private func row(_ index: Int, _ context: RunContext) throws(SardonyxError) -> UnsafeMutableRawPointer? {
        guard context.hasInput(index) else { return nil }
        let view = try context.input(index)
        guard let spread = spreads[index - 1], let scratch = context.scratch else { return view.pointer }
        let target = scratch + (index - 1) * extents.columns * 8
        spread.run(from: view.pointer, to: target, view.dtype, threads: 1)
        return target
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0, let scale = try row(1, context) else { return }
        let bias = try row(2, context)
        let (rows, columns) = extents
        let mean = context.hasOutput(1) ? try context.output(1).pointer : nil
        let inverse = context.hasOutput(2) ? try context.output(2).pointer : nil
        if x.dtype == .float64 {
            float64(
                x.typed(Double.self), y.typed(Double.self), scale.assumingMemoryBound(to: Double.self),
                bias?.assumingMemoryBound(to: Double.self), mean?.assumingMemoryBound(to: Double.self),
                inverse?.assumingMemoryBound(to: Double.self))
        } else if centers {
            sx_layer_norm(
                x.floats, scale.assumingMemoryBound(to: Float.self), bias?.assumingMemoryBound(to: Float.self),
                y.floats,
                mean?.assumingMemoryBound(to: Float.self), inverse?.assumingMemoryBound(to: Float.self), Int64(rows),
                Int64(columns), epsilon, Int32(context.threads))
        } else {
            sx_rms_norm(
                x.floats, scale.assumingMemoryBound(to: Float.self), y.floats, Int64(rows), Int64(columns), epsilon,
                Int32(context.threads))
        }
    }

    private func float64(
        _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ scale: UnsafePointer<Double>,
        _ bias: UnsafePointer<Double>?, _ mean: UnsafeMutablePointer<Double>?, _ inverse: UnsafeMutablePointer<Double>?
    ) {
        for r in 0..<extents.rows {
            let (from, to) = (x + r * extents.columns, y + r * extents.columns)
            let statistics = RowStatistics(from, extents.columns)
            let (center, spread) =
                centers
                ? (statistics.mean, statistics.variance)
                : (0, statistics.variance + statistics.mean * statistics.mean)
            let factor = 1 / (spread + Double(epsilon)).squareRoot()
            for i in 0..<extents.columns { to[i] = (from[i] - center) * factor * scale[i] + (bias?[i] ?? 0) }
            mean?[r] = center
            inverse?[r] = factor
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }
}
