import CKernels
import GraphIR
import TensorCore

/// ONNX Clip: bounds by attributes (1, 6) or by scalar inputs (11, 12, 13); y = min(max(x, low), high), NaN stays.
struct Clip: Operator {
    static let elementTypes: [DType] = DType.numeric
    private let attributes: (low: Float, high: Float)
    private var layoutCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        attributes =
            node.opset >= 11
            ? (-.infinity, .infinity)
            : (try node.float("min", default: -.infinity), try node.float("max", default: .infinity))
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        if context.opset < 12 { try context.requireDType(0, DType.floating, "input") }
        let dtype = try context.dtype(0)
        for index in 1...2 where context.hasInput(index) {
            try context.requireDType(index, [dtype], index == 1 ? "min" : "max")
            guard let bound = try context.shape(index)?.knownDims, bound != [], bound != [1] else { continue }
            throw context.error(.shape, index == 1 ? "min" : "max", got: "\(bound)", allowed: "a scalar")
        }
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0)
        layoutCount = try x.layout.storedElementCount(x.shape)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        let low = context.hasInput(1) ? try context.input(1) : nil
        let high = context.hasInput(2) ? try context.input(2) : nil
        guard x.dtype == .float32 else {
            return try context.placing { () throws(SardonyxError) in
                try withNumber(x.dtype, Loop(x: x, y: y, low: low, high: high, attributes: attributes))
            }
        }
        let clip = sx_activation(
            op: SX_UNARY_CLIP, a: low?.floats.pointee ?? attributes.low, b: high?.floats.pointee ?? attributes.high)
        sx_unary(clip, x.floats, y.floats, Int64(layoutCount), Int32(context.threads))
    }

    private struct Loop: NumberBody {
        let x, y: TensorView
        let low, high: TensorView?
        let attributes: (low: Float, high: Float)

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (x, y) = (x.elements(T.self), y.elements(T.self))
            let low = low?.typed(T.self).pointee ?? (T.isInteger ? T.least : T(saturating: Double(attributes.low)))
            let high =
                high?.typed(T.self).pointee ?? (T.isInteger ? T.greatest : T(saturating: Double(attributes.high)))
            for i in x.indices {
                let raised = x[i] < low ? low : x[i]
                y[i] = raised > high ? high : raised
            }
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }

    /// Blocked where every channel block is full: the bounds may move zero.
    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4 else { return nil }
        let layout = x.shape[1] % Layout.blockSize == 0 ? x.layout : .plain
        return LayoutChoice(inputs: [layout] + [Layout](repeating: .plain, count: inputs.count - 1), outputs: [layout])
    }
}
