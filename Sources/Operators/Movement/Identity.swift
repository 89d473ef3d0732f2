import GraphIR
import TensorCore

/// ONNX Identity (1-25), for tensors, and Dropout (1-22) at inference, whose optional mask is all true.
struct Identity: Operator {
    /// The element type of Dropout's mask; `nil` for Identity.
    private let mask: DType?
    private let isDropout: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        isDropout = node.node.opType == "Dropout"
        mask = isDropout && node.hasOutput(1) && node.opset >= 10 ? .bool : nil
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let input = try context.input(0)
        guard isDropout else { return [input] }
        if let training = try context.tensor(2) { try requireInference(TensorView(reading: training), at: context) }
        let dtype = try context.dtype(0)
        return [input, Inferred(mask ?? dtype, try context.shape(0))]
    }

    private func requireInference(_ training: TensorView, at place: some NodePlace) throws(SardonyxError) {
        guard training.dtype == .bool, training.elements(Bool.self).first != true else {
            throw place.error(.unsupported, "training_mode", got: "true", allowed: "false", hint: nil)
        }
    }

    var preparedInputs: [Int] { isDropout ? [1] : [] }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation {
        // With training_mode, data decides whether the node may run as identity.
        outputs.count == 1 && inputs.dropFirst(2).allSatisfy { $0 == nil } ? .view(input: 0) : .separate
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard outputs.count == 1, let layout = inputs.first??.layout else { return nil }
        return LayoutChoice(inputs: [layout, .plain, .plain], outputs: [layout])
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if context.hasInput(2) { try requireInference(try context.input(2), at: context) }
        let input = try context.input(0)
        try input.copyElements(
            to: try context.output(0, dtype: input.dtype, shape: input.shape), threads: context.threads)
        guard isDropout, context.outputs.count > 1 else { return }
        let kept = try context.output(1, dtype: mask ?? input.dtype, shape: input.shape)
        guard kept.dtype == .bool else {
            return try context.placing { () throws(SardonyxError) in try withNumericType(kept.dtype, Ones(view: kept)) }
        }
        kept.elements(Bool.self).update(repeating: true)
    }

    private struct Ones: NumericBody {
        let view: TensorView
        func run<T: NumericElement>(_ type: T.Type) { view.elements(T.self).update(repeating: T.one) }
    }
}
