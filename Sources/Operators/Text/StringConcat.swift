import GraphIR
import TensorCore

/// ONNX StringConcat (20): the strings of two tensors end to end, element by element with broadcasting.
struct StringConcat: PlannedOperator {
    static let elementTypes: [DType] = [.string]
    var plan: BroadcastWalk?

    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        for index in 0..<2 { try context.requireDType(index, [.string], "input \(index)") }
        let shape = try Broadcast.shape([try context.shape(0), try context.shape(1)], at: context)
        return [Inferred(.string, shape)]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> BroadcastWalk {
        try BroadcastWalk([try operands.operand(0).shape, try operands.operand(1).shape], at: operands)
    }

    func run(_ plan: BroadcastWalk, _ context: RunContext) throws(SardonyxError) {
        let output = try context.output(0, dtype: .string, shape: plan.output)
        let (a, b) = (try context.input(0).elements(String.self), try context.input(1).elements(String.self))
        var bytes = 0
        plan.forEachRow { _, offsets in
            for i in 0..<plan.count {
                bytes += a[offsets[0] + i * plan.steps[0]].utf8.count + b[offsets[1] + i * plan.steps[1]].utf8.count
            }
        }
        try context.budget.check(bytes, for: context.label)
        let target = output.elements(String.self)
        plan.forEachRow { first, offsets in
            for i in 0..<plan.count {
                target[first + i] = a[offsets[0] + i * plan.steps[0]] + b[offsets[1] + i * plan.steps[1]]
            }
        }
    }
}
