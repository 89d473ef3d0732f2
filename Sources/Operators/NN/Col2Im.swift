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
            for row in 0..<(x.shape[0] * x.shape[1]) {
                try context.interruption?.check()
                var tap = [Int](repeating: 0, count: axes.count)
                var rest = row % taps
                for axis in axes.indices.reversed() {
                    tap[axis] = rest % axes[axis].kernel
                    rest /= axes[axis].kernel
                }
                add(axis: 0, tap, from + row * positions, to + row / taps * pixels)
            }
        }

        /// Adds one row of columns, that of a tap, from an axis on.
        private func add<T: NumericElement>(
            axis: Int, _ tap: [Int], _ from: UnsafeMutablePointer<T>, _ to: UnsafeMutablePointer<T>
        ) {
            let window = plan.axes[axis]
            let later = plan.axes[(axis + 1)...]
            let (columns, pixels) = (later.reduce(1) { $0 * $1.output }, later.reduce(1) { $0 * $1.input })
            for o in 0..<window.output {
                let position = window.position(o, tap[axis])
                guard position >= 0, position < window.input else { continue }
                if later.isEmpty {
                    to[position] = T.wrappingSum(to[position], from[o])
                } else {
                    add(axis: axis + 1, tap, from + o * columns, to + position * pixels)
                }
            }
        }
    }
}
