import GraphIR
import TensorCore

/// ONNX AffineGrid (20): the normalised sampling positions `[N, (D,) H, W, r]` that affine maps theta `[N, r, r + 1]`
/// give to an image of the size of input 1, `[N, C, (D,) H, W]`; r is 2 or 3.
struct AffineGrid: PlannedOperator {
    static let elementTypes: [DType] = DType.floating
    private let alignsCorners: Bool
    /// The grid's shape.
    var plan: Shape?

    init(_ node: NodeReader) throws(SardonyxError) { alignsCorners = try node.bool("align_corners", default: false) }

    var parameterInputs: [Int] { [1] }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let theta = try context.dims(0, rank: 3, "theta")
        let dtype = try context.dtype(0)
        guard let size = try context.content(1) else {
            let rank = try context.length(1)
            return [Inferred(dtype, rank.map { SymbolicShape([Dim](repeating: .unknown, count: $0)) })]
        }
        guard size.count == 4 || size.count == 5 else {
            throw context.error(.shape, "size", got: "\(size.count) extents", allowed: "4 or 5")
        }
        let axes = size.count - 2
        try context.requireShape(0, [size[0], .known(axes), .known(axes + 1)], "theta")
        let batch = size[0].value == nil ? theta[0] : size[0]
        return [Inferred(dtype, SymbolicShape([batch] + size[2...] + [.known(axes)]))]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Shape {
        let theta = try operands.operand(0).shape
        let size = try operands.integers(1) ?? []
        guard size.count == 4 || size.count == 5, theta.dims == [size[0], size.count - 2, size.count - 1] else {
            throw operands.error(
                .shape, "theta and size", got: "\(theta) and \(size)",
                allowed: "[N, 2, 3] and [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W]", hint: nil)
        }
        return try operands.shape(of: [size[0]] + size[2...] + [size.count - 2])
    }

    func run(_ plan: Shape, _ context: RunContext) throws(SardonyxError) {
        let theta = try context.input(0)
        let grid = try context.output(0, dtype: theta.dtype, shape: plan)
        if theta.dtype == .float64 {
            try write(theta.typed(Double.self), grid.typed(Double.self), plan, context)
        } else {
            try write(theta.floats, grid.floats, plan, context)
        }
    }

    /// The normalised positions of pixels: the first, and the step to the next.
    private func positions(_ extent: Int) -> (first: Double, step: Double) {
        if alignsCorners { return (-1, extent > 1 ? 2 / Double(extent - 1) : 0) }
        return (1 / Double(max(extent, 1)) - 1, 2 / Double(max(extent, 1)))
    }

    private func write<T: Number & BinaryFloatingPoint>(
        _ theta: UnsafeMutablePointer<T>, _ grid: UnsafeMutablePointer<T>, _ shape: Shape, _ context: RunContext
    ) throws(SardonyxError) {
        let axes = shape.rank - 2
        let (depth, height, width) = (axes == 3 ? shape[1] : 1, shape[axes - 1], shape[axes])
        let (across, down, through) = (positions(width), positions(height), positions(depth))
        nonisolated(unsafe) let (theta, grid) = (theta, grid)
        try context.inParallel(shape[0] * depth * height, cost: 4 * width * axes) { lines in
            for line in lines {
                let map = theta + line / (depth * height) * axes * (axes + 1)
                let y = down.first + Double(line % height) * down.step
                let z = through.first + Double(line / height % depth) * through.step
                for row in 0..<axes {
                    let factors = map + row * (axes + 1)
                    var start = Double(factors[1]) * y + Double(factors[axes])
                    if axes == 3 { start += Double(factors[2]) * z }
                    let (factor, target) = (Double(factors[0]), grid + line * width * axes + row)
                    for w in 0..<width {
                        target[w * axes] = T(factor * (across.first + Double(w) * across.step) + start)
                    }
                }
            }
        }
    }
}
