import GraphIR
import TensorCore

/// ONNX STFT (17): windowed Fourier transforms of the frames of a signal `[batch, length, 1 or 2]`, each `frame_step`
/// behind the last, to `[batch, frames, bins, 2]`.
struct STFT: PlannedOperator {
    static let elementTypes: [DType] = DType.floating
    struct Plan: Sendable {
        let step: Int
        let transforms: FourierTransforms
        let output: Shape
    }

    private let isOneSided: Bool
    var plan: Plan?

    init(_ node: NodeReader) throws(SardonyxError) {
        isOneSided = try node.bool("onesided", default: true)
    }

    var parameterInputs: [Int] { [1, 3] }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...3, "signal")
        if context.hasInput(2) { try context.requireRank(2, 1...1, "window") }
        let dtype = try context.dtype(0)
        if context.hasInput(2) { try context.requireDType(2, [dtype], "window") }
        let signal = try context.shape(0)
        var dims: [Dim] = [signal?.dims[0] ?? .unknown, .unknown, .unknown, .known(2)]
        let length =
            if context.hasInput(3) {
                try context.integers(3)?.first
            } else {
                context.hasInput(2) ? try context.length(2) : signal?.dims[1].value
            }
        if let length, length > 0 {
            dims[2] = .known(isOneSided ? length / 2 + 1 : length)
            if let extent = signal?.dims[1].value, let step = try context.integers(1)?.first, step > 0,
                extent >= length
            {
                dims[1] = .known((extent - length) / step + 1)
            }
        }
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Plan {
        let signal = try operands.operand(0).shape
        guard signal.rank == 2 || signal[2] == 1 || signal[2] == 2 else {
            throw operands.error(.shape, "signal", got: "\(signal)", allowed: "[batch, length, 1 or 2]", hint: nil)
        }
        let window = operands.hasInput(2) ? try operands.operand(2).shape[0] : nil
        let length = try operands.integers(3)?.first ?? window ?? signal[1]
        guard let step = try operands.integers(1)?.first, step >= 1 else {
            throw operands.error(
                .value, "frame_step", got: "\(try operands.integers(1) ?? [])", allowed: "1 or more", hint: nil)
        }
        guard length >= 1, length <= signal[1], window == nil || window == length else {
            throw operands.error(
                .value, "frame_length", got: "\(length)",
                allowed: "1 to the signal's length, \(signal[1]), equal to the window's", hint: nil)
        }
        let transforms = try FourierTransforms(
            length, try operands.operand(0).dtype, components: signal.rank == 2 ? 1 : signal[2], for: operands)
        let frames = (signal[1] - length) / step + 1
        let bins = isOneSided ? length / 2 + 1 : length
        return Plan(
            step: step, transforms: transforms, output: try operands.shape(of: [signal[0], frames, bins, 2]))
    }

    func run(_ plan: Plan, _ context: RunContext) throws(SardonyxError) {
        let signal = try context.input(0)
        let y = try context.output(0, dtype: signal.dtype, shape: plan.output)
        switch (plan.transforms, y.dtype) {
        case (.float64(let transform), .float64): try run(Double.self, transform, plan, signal, y, context)
        case (.float64(let transform), _): try run(Float.self, transform, plan, signal, y, context)
        case (.float32(let transform), _): try run(Float.self, transform, plan, signal, y, context)
        }
    }

    private func run<T: Number & BinaryFloatingPoint, W: Number & BinaryFloatingPoint>(
        _ type: T.Type, _ transform: FourierTransform<W>, _ plan: Plan, _ signal: TensorView, _ y: TensorView,
        _ context: RunContext
    ) throws(SardonyxError) {
        let step = plan.step
        let work = try context.working(W.self, count: transform.lineCount)
        let window = context.hasInput(2) ? UnsafePointer(try context.input(2).typed(T.self)) : nil
        let components = signal.shape.rank == 2 ? 1 : signal.shape[2]
        let (frames, bins) = (y.shape[1], y.shape[2])
        for batch in 0..<y.shape[0] {
            for frame in 0..<frames {
                try context.interruption?.check()
                transform.run(
                    FourierLine(
                        pointer: signal.typed(T.self) + (batch * signal.shape[1] + frame * step) * components,
                        count: transform.length, stride: components, components: components),
                    window: window, .forward,
                    into: FourierLine(
                        pointer: y.typed(T.self) + (batch * frames + frame) * bins * 2, count: bins, stride: 2,
                        components: 2), work.pointer.assumingMemoryBound(to: W.self))
            }
        }
        withExtendedLifetime(work) {}
    }
}
