import GraphIR
import TensorCore

/// ONNX Col2Im (18): columns of blocks `[N, C · block, positions]` added up where they overlap, to images `[N, C, d…]`
/// of the extents given by input 1; the block's extents are input 2.
struct Col2Im: PlannedOperator {
    static let elementTypes: [DType] = DType.numeric
    struct Plan: Sendable {
        let output: Shape
        /// Axes of a convolution that would have made the columns.
        let axes: [WindowAxis]
    }

    private let window: WindowAttributes
    var plan: Plan?

    init(_ node: NodeReader) throws(SardonyxError) { window = try WindowAttributes(node) }

    var parameterInputs: [Int] { [1, 2] }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let x = try context.dims(0, rank: 3, "input")
        let dtype = try context.dtype(0)
        var channels = Dim.unknown
        if let columns = x[1].value, let block = try context.integers(2),
            let taps = CheckedSize.product(block), taps > 0
        {
            channels = .known(columns / taps)
        }
        if let image = try context.integers(1) {
            return [Inferred(dtype, SymbolicShape([x[0], channels] + image.map { .known($0) }))]
        }
        let rank = try context.length(1)
        return [
            Inferred(dtype, rank.map { SymbolicShape([x[0], channels] + [Dim](repeating: .unknown, count: $0)) })
        ]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Plan {
        let x = try operands.operand(0).shape
        let (image, block) = (try operands.integers(1) ?? [], try operands.integers(2) ?? [])
        for extents in [image, block] { _ = try operands.shape(of: extents) }
        guard !image.isEmpty, image.count == block.count, block.allSatisfy({ $0 >= 1 }), image.allSatisfy({ $0 >= 0 }),
            let taps = CheckedSize.product(block), x[1] % taps == 0
        else {
            throw operands.error(
                .shape, "image_shape and block_shape", got: "\(image) and \(block)",
                allowed: "one extent an axis each, the block's product dividing \(x[1])", hint: nil)
        }
        let axes = try window.axes(input: image, kernel: block, label: operands.label)
        guard let positions = CheckedSize.product(axes.map(\.output)), positions == x[2] else {
            throw operands.error(
                .shape, "input", got: "\(x)", allowed: "\(axes.map(\.output)) positions for the image \(image)",
                hint: nil)
        }
        return Plan(output: try operands.shape(of: [x[0], x[1] / taps] + image), axes: axes)
    }

    func run(_ plan: Plan, _ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let y = try context.output(0, dtype: x.dtype, shape: plan.output)
        let body = Body(plan: plan, x: x, y: y, context: context)
        try context.placing { () throws(SardonyxError) in try withNumericType(x.dtype, body) }
    }

    private struct Body: NumericBody {
        let plan: Plan
        let x, y: TensorView
        let context: RunContext

        func run<T: NumericElement>(_ type: T.Type) throws(SardonyxError) {
            let (from, to) = (x.typed(T.self), y.typed(T.self))
            y.elements(T.self).update(repeating: T.zero)
            let axes = plan.axes
            let pixels = axes.reduce(1) { $0 * $1.input }
            let (positions, taps) = (x.shape[2], axes.reduce(1) { $0 * $1.kernel })
            guard positions > 0, pixels > 0 else { return }
            var tap = [Int](repeating: 0, count: axes.count)
            for row in 0..<(x.shape[0] * x.shape[1]) {
                try context.interruption?.check()
                var rest = row % taps
                for axis in axes.indices.reversed() {
                    tap[axis] = rest % axes[axis].kernel
                    rest /= axes[axis].kernel
                }
                add(axis: 0, tap, from + row * positions, positions, to + row / taps * pixels, pixels)
            }
        }

        /// Adds one row of columns, that of a tap, from an axis on: `positions` of them to an image of `pixels`.
        private func add<T: NumericElement>(
            axis: Int, _ tap: [Int], _ from: UnsafeMutablePointer<T>, _ positions: Int, _ to: UnsafeMutablePointer<T>,
            _ pixels: Int
        ) {
            let window = plan.axes[axis]
            // Positions o stride + first inside the image.
            let first = window.position(0, tap[axis])
            let begin = first < 0 ? (window.stride - 1 - first) / window.stride : 0
            let end = first < window.input ? min(window.output, (window.input - 1 - first) / window.stride + 1) : 0
            guard begin < end else { return }
            guard axis == plan.axes.count - 1 else {
                let (columns, plane) = (positions / window.output, pixels / window.input)
                for o in begin..<end {
                    add(
                        axis: axis + 1, tap, from + o * columns, columns, to + (o * window.stride + first) * plane,
                        plane)
                }
                return
            }
            if window.stride == 1 {
                let to = to + first
                for o in begin..<end { to[o] = T.wrappingSum(to[o], from[o]) }
            } else {
                for o in begin..<end {
                    let position = o * window.stride + first
                    to[position] = T.wrappingSum(to[position], from[o])
                }
            }
        }
    }
}
