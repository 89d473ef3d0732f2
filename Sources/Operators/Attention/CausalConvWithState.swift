import CKernels
import GraphIR
import TensorCore

/// ONNX CausalConvWithState (27): each channel of x `[N, C, L]` convolved with its
/// filter of w `[C, 1, K]` over the present and the K - 1 elements before it, which for the first ones are the past
/// state `[N, C, K - 1]` or zeros; plus bias `[C]`, then optionally SiLU. Output 1: the last K - 1 elements.
struct CausalConvWithState: Operator {
    static let elementTypes: [DType] = DType.floating
    private enum Activation: String, CaseIterable { case none, silu, swish }

    private let activates: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        activates = try node.choice("activation", default: Activation.none) != .none
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        for index in 1...3 where context.hasInput(index) { try context.requireDType(index, [dtype], "input \(index)") }
        try context.requireRank(0, 3...3, "input")
        try context.requireRank(1, 3...3, "weight")
        guard let x = try context.shape(0), let w = try context.shape(1) else {
            return [Inferred(try context.input(0).type), Inferred(dtype, nil)]
        }
        try context.requireEqual(x.dims[1], w.dims[0], "channels of input and weight")
        try context.requireEqual(w.dims[1], .known(1), "axis 1 of weight, 1")
        if w.dims[2] == .known(0) { throw context.error(.shape, "weight", got: "\(w)", allowed: "a filter") }
        let state = SymbolicShape([x.dims[0], x.dims[1], w.dims[2].value.map { .known($0 - 1) } ?? .unknown])
        for (index, wanted) in [(2, SymbolicShape([x.dims[1]])), (3, state)] where context.hasInput(index) {
            guard let shape = try context.shape(index) else { continue }
            try context.requireRank(index, wanted.rank...wanted.rank, "input \(index)")
            for (a, b) in zip(shape.dims, wanted.dims) { try context.requireEqual(a, b, "extents of input \(index)") }
        }
        return [Inferred(try context.input(0).type), Inferred(dtype, state)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context)
        } else {
            try run(Float.self, context)
        }
    }

    private func run<T: AttentionElement>(_ type: T.Type, _ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let (channels, length) = (x.shape[1], x.shape[2])
        let weight = try context.input(1)
        let kernel = weight.shape[2]
        let bias = context.hasInput(2) ? try context.input(2).typed(T.self) : nil
        let past = context.hasInput(3) ? try context.input(3).typed(T.self) : nil
        let present = context.hasOutput(1) ? try context.output(1).typed(T.self) : nil
        let y = try context.output(0).typed(T.self)
        for row in 0..<x.shape[0] * channels {
            try context.interruption?.check()
            let (input, output) = (x.typed(T.self) + row * length, y + row * length)
            let taps = weight.typed(T.self) + row % channels * kernel
            let before = past.map { $0 + row * (kernel - 1) }
            /// The element at a position that may be before the first.
            func element(_ position: Int) -> T { position >= 0 ? input[position] : before?[position + kernel - 1] ?? 0 }
            for at in 0..<length {
                var sum = bias?[row % channels] ?? 0
                for tap in 0..<kernel { sum += taps[tap] * element(at + tap - kernel + 1) }
                output[at] = activates ? sum / (1 + T.exponential(-sum)) : sum
            }
            for at in 0..<kernel - 1 { present?[row * (kernel - 1) + at] = element(length + at - kernel + 1) }
        }
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard inputs.count > 1, let x = inputs[0], let w = inputs[1], w.shape.rank == 3 else { return 0 }
        return CheckedSize.product(x.shape.elementCount, w.shape[2]) ?? .max
    }
}
