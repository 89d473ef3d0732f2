import GraphIR
import TensorCore

/// What an operator knows of its operands when it makes its plan: at `prepare`, or at `run` when shapes or
/// parameters depend on data.
package protocol OperandSource: NodePlace {
    func operand(_ index: Int) throws(SardonyxError) -> TensorInfo
    func hasInput(_ index: Int) -> Bool
    /// The elements of an integer input; `nil` when it is absent.
    func integers(_ index: Int) throws(SardonyxError) -> [Int]?
    var inputCount: Int { get }
    /// What is checked before memory that grows with an extent is asked for.
    var budget: MemoryBudget { get }
    /// The node, for messages.
    var label: String { get }
}

extension RunContext: OperandSource {
    package var inputCount: Int { inputs.count }
    package func operand(_ index: Int) throws(SardonyxError) -> TensorInfo {
        let view = try input(index)
        return TensorInfo(dtype: view.dtype, shape: view.shape, layout: view.layout)
    }
}

extension PrepareContext: OperandSource {
    package var inputCount: Int { inputs.count }
    package var label: String { node.label }
    package func operand(_ index: Int) throws(SardonyxError) -> TensorInfo { try input(index) }
    package func hasInput(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

    package func integers(_ index: Int) throws(SardonyxError) -> [Int]? {
        guard hasInput(index) else { return nil }
        guard let values = try constant(index)?.tensor().integers() else {
            throw error(
                .value, "input \(index)", got: "\(try input(index).dtype)", allowed: "integers of 64 signed bits")
        }
        return values
    }
}

/// An operator that works out everything from shapes and small parameters first and then only moves elements.
///
/// The plan is made once by `prepare` when the shapes are known and the inputs it reads are constants, else by each run.
package protocol PlannedOperator: Operator {
    associatedtype Plan: Sendable
    var plan: Plan? { get set }
    /// Inputs whose elements the plan depends on, for example the axes of Unsqueeze.
    var parameterInputs: [Int] { get }
    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Plan
    func run(_ plan: Plan, _ context: RunContext) throws(SardonyxError)
}

extension PlannedOperator {
    package var parameterInputs: [Int] { [] }
    package var preparedInputs: [Int] { plan == nil ? [] : parameterInputs }

    package mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let known = context.node.inputs.indices.allSatisfy { context.node.inputs[$0] == nil || context.hasInput($0) }
        let constant = parameterInputs.allSatisfy { !context.hasInput($0) || context.constant($0) != nil }
        if known && constant { plan = try makePlan(context) }
    }

    package func run(_ context: RunContext) throws(SardonyxError) {
        if let plan { return try run(plan, context) }
        try run(try makePlan(context), context)
    }
}

/// Output tensors made of boxes of the inputs.
package struct CopyPlan: Sendable {
    struct Step: Sendable {
        let input: Int
        let output: Int
        let copy: StridedCopy
    }
    var outputs: [Shape]
    var steps: [Step] = []

    init(_ outputs: [Shape]) { self.outputs = outputs }

    mutating func add(input: Int = 0, output: Int = 0, _ copy: StridedCopy) {
        steps.append(Step(input: input, output: output, copy: copy))
    }
}

/// An operator whose whole work is a `CopyPlan`: Transpose, Slice, Concat, Split …
package protocol CopyingOperator: PlannedOperator where Plan == CopyPlan {}

extension CopyingOperator {
    package func run(_ plan: CopyPlan, _ context: RunContext) throws(SardonyxError) {
        let dtype = try context.input(0).dtype
        for (index, shape) in plan.outputs.enumerated() where index < context.outputs.count {
            _ = try context.output(index, dtype: dtype, shape: shape)
        }
        for step in plan.steps where context.hasOutput(step.output) {
            step.copy.run(
                from: try context.input(step.input).pointer, to: try context.output(step.output).pointer, dtype,
                threads: context.threads)
        }
    }
}
