import GraphIR
import TensorCore

/// ONNX Optional (15-28): an optional that holds the input or, without one, nothing of the type that `type` says.
struct OptionalOperator: Operator {
    private let type: ValueType?
    private let hasInput: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        hasInput = node.hasInput(0)
        if let attribute = node.node.attributes["type"] {
            guard case .type(let type) = attribute else { throw node.error(.graph, "attribute type must be a type") }
            self.type = type
        } else {
            type = nil
        }
        guard hasInput || type != nil else { throw node.error(.graph, "neither input nor attribute type") }
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        guard let held = hasInput ? try context.input(0).type.held : type else {
            throw context.error(.graph, "attribute type is missing")
        }
        return [Inferred(.optional(held))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if hasInput { return try context.setOutput(0, try context.value(0)) }
        guard let type else { throw context.error(.graph, "attribute type is missing") }
        try context.setOutput(0, .absent(.optional(type)))
    }
}

/// ONNX OptionalHasElement (15-28): whether an optional holds something; since 18 also true for tensors and sequences,
/// and false without input.
struct OptionalHasElement: Operator {
    private let hasInput: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        hasInput = node.hasInput(0)
        guard hasInput || node.opset >= 18 else { throw node.error(.graph, "input 0 is missing") }
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] { [Inferred(.bool, [])] }

    func run(_ context: RunContext) throws(SardonyxError) {
        var holds = hasInput
        if hasInput, case .absent = try context.value(0) { holds = false }
        try context.setOutput(0, .tensor(try Tensor([holds], dims: [])))
    }
}

/// ONNX OptionalGetElement (15-28): what an optional holds; since 18 tensors and sequences are handed through.
struct OptionalGetElement: Operator {
    init(_ node: NodeReader) throws(SardonyxError) {}

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        [Inferred(try context.input(0).type.held)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let value = try context.value(0)
        if case .absent = value { throw context.error(.value, "the optional holds nothing") }
        try context.setOutput(0, value)
    }
}
