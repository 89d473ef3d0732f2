import GraphIR
import TensorCore

/// ONNX Dropout (1, 6, 7, 10, 12, 13, 22): the identity with a mask of ones, or, where the input `training_mode` (12
/// on) is true, elements set to zero with probability `ratio` and the others scaled by 1 / (1 - ratio).
struct Dropout: Operator {
    static let elementTypes: [DType] =
        DType.floating + [.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz]
    private let mask: DType?
    private let seed: UInt32?

    init(_ node: NodeReader) throws(SardonyxError) {
        mask = node.opset >= 10 ? .bool : nil
        seed = try node.int("seed").map { UInt32(truncatingIfNeeded: $0) }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let input = try context.input(0)
        let dtype = try context.dtype(0)
        for index in [1, 2] where context.hasInput(index) { try context.requireRank(index, 0...1, "input \(index)") }
        if context.hasInput(2) { try context.requireDType(2, [.bool], "training_mode") }
        return [Inferred(input.type), Inferred(mask ?? dtype, try context.shape(0))]
    }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation {
        // With training_mode, data decides whether the node is the identity.
        outputs.count == 1 && inputs.dropFirst(2).allSatisfy { $0 == nil } ? .view(input: 0) : .separate
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard outputs.count == 1, inputs.dropFirst(2).allSatisfy({ $0 == nil }), let layout = inputs.first??.layout
        else { return nil }
        return LayoutChoice(inputs: [layout, .plain, .plain], outputs: [layout])
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: input.dtype, shape: input.shape)
        let kept =
            context.outputs.count > 1 ? try context.output(1, dtype: mask ?? input.dtype, shape: input.shape) : nil
        let trains = context.hasInput(2) ? try context.scalar(2) != 0 : false
        let ratio = trains ? context.hasInput(1) ? try context.scalar(1) : 0.5 : 0
        guard ratio >= 0, ratio < 1 else {
            throw context.error(.value, "ratio", got: "\(ratio)", allowed: "0 or more and below 1")
        }
        guard ratio > 0 else {
            try input.copyElements(to: output, threads: context.threads)
            if let kept { try context.fill(kept) { _ in 1 } }
            return
        }
        switch input.dtype {
        case .float64:
            drop(input.typed(Double.self), output.typed(Double.self), kept, input.elementCount, ratio)
        case .float32: drop(input.floats, output.floats, kept, input.elementCount, ratio)
        default:
            throw context.error(
                .unsupported, "data element type in training", got: "\(input.dtype)", allowed: "\(DType.floating)")
        }
    }

    private func drop<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>, _ kept: TensorView?, _ count: Int, _ ratio: Double
    ) {
        var generator = MersenneTwister(seed: seed)
        let scale = T(1 / (1 - ratio))
        let mask = kept?.typed(Bool.self)
        for i in 0..<count {
            let keeps = generator.uniform() >= ratio
            y[i] = keeps ? x[i] * scale : 0
            mask?[i] = keeps
        }
    }
}
