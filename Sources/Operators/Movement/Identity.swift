import GraphIR
import TensorCore

/// ONNX Identity (1-25), of values of any kind.
struct Identity: Operator {
    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] { [try context.input(0)] }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation { .view(input: 0) }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let layout = inputs.first??.layout else { return nil }
        return LayoutChoice(inputs: [layout], outputs: [layout])
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { inputs.first??.dtype == nil }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard context.inputs.first ?? nil != nil else { return try context.setOutput(0, try context.value(0)) }
        let input = try context.input(0)
        try input.copyElements(
            to: try context.output(0, dtype: input.dtype, shape: input.shape), threads: context.threads)
    }
}
