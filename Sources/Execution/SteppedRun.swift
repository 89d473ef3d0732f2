import GraphIR
import Operators
import TensorCore

/// A run that its caller takes one step at a time, and may look at and change in between: of a plan, whose kernels run in
/// their order and in the plan's memory, or of a graph node by node.
///
/// ```swift
/// while let node = run.upcoming {
///     let read = try run.input(0)          // what the step will read
///     try run.advance()
///     let made = try run.output(0)         // what it made
/// }
/// let outputs = try run.outputs()
/// ```
package final class SteppedRun {
    /// A value at one moment of a run.
    package struct Seen {
        package let value: RuntimeValue
        private let isLent: Bool

        /// - Parameter isLent: whether it lies in memory that the next step may write.
        package init(_ value: RuntimeValue, isLent: Bool = false) {
            self.value = value
            self.isLent = isLent
        }

        /// The value in memory of its own.
        /// - Throws: `limit` when there is no memory.
        package func kept() throws(SardonyxError) -> RuntimeValue {
            guard isLent, case .tensor(let tensor) = value else { return value }
            let copy = try Tensor(resultOf: tensor.dtype, shape: tensor.shape)
            copy.buffer.pointer.copyMemory(from: tensor.pointer, byteCount: tensor.byteCount)
            withExtendedLifetime(tensor) {}
            return .tensor(copy)
        }
    }

    /// The graph whose nodes run, with inferred types where there is a plan.
    package let graph: Graph
    /// The steps, in their order.
    package let nodes: [Node]
    /// How many steps have run.
    package private(set) var position = 0

    /// The part that a plan holds; `nil` node by node.
    private struct Planned {
        let plan: Plan
        let workspace: Workspace
        let feeds: [Tensor]
        let results: [Tensor]
        let threads: Int
    }
    private let planned: Planned?
    private let staticCount: Int
    private let tail: DynamicTail?
    private let interruption: (any Interruption)?
    private let budget: MemoryBudget
    /// What the tail reads and makes.
    private var values: [ValueID: RuntimeValue] = [:]
    /// Bytes of what the tail has made and something still reads.
    private var byteCounts: [ValueID: Int] = [:]
    private var valueByteCount = 0
    /// Values that a later node or the caller reads.
    private let wanted: Set<ValueID>
    /// Of the step that has just run, when it is one of the tail.
    private var made: [RuntimeValue?] = []
    private var isFinished = false

    /// The steps of the plan for these inputs.
    /// - Parameter feeds: by graph input.
    /// - Throws: as `GraphExecutor.run(values:)`.
    package init(
        _ executor: GraphExecutor, _ feeds: [RuntimeValue], interruption: (any Interruption)? = nil
    ) throws(SardonyxError) {
        try executor.graph.require(feeds)
        let isTensor = executor.graph.inputs.map { executor.graph[$0].type?.dtype != nil }
        let plan = try executor.plan(
            for: zip(feeds, isTensor).map { $1 ? $0.tensor?.shape : nil }, interruption: interruption)
        let tensors = try Plan.tensors(of: feeds)
        let results = try plan.makeResults()
        let workspace = try Workspace(plan: plan, options: executor.options)
        workspace.bind(feeds: tensors, results: results)
        self.graph = plan.graph
        self.nodes = plan.steps.map(\.node) + (plan.tail?.nodes ?? [])
        self.planned = Planned(
            plan: plan, workspace: workspace, feeds: tensors, results: results, threads: executor.options.threads)
        self.staticCount = plan.steps.count
        self.tail = plan.tail
        self.interruption = interruption
        self.budget = executor.options.budget
        self.wanted = Self.wanted(plan.tail?.nodes ?? [], plan.graph)
        for (id, feed) in zip(graph.inputs, feeds) { values[id] = feed }
        if staticCount == 0 { finishStatic() }
    }

    /// Every node of the graph by itself, in order.
    /// - Parameters:
    ///   - feeds: by graph input.
    ///   - budget: for all values that are alive at one time.
    /// - Throws: `input` for values of another kind or element type than their inputs.
    package init(
        _ nodes: NodeByNode, _ feeds: [RuntimeValue], budget: MemoryBudget, interruption: (any Interruption)? = nil
    ) throws(SardonyxError) {
        try nodes.graph.require(feeds)
        self.graph = nodes.graph
        self.nodes = nodes.tail.nodes
        self.planned = nil
        self.staticCount = 0
        self.tail = nodes.tail
        self.interruption = interruption
        self.budget = budget
        self.wanted = Self.wanted(nodes.tail.nodes, nodes.graph)
        for (id, feed) in zip(graph.inputs, feeds) { values[id] = feed }
    }

    private static func wanted(_ nodes: [Node], _ graph: Graph) -> Set<ValueID> {
        Set(graph.outputs + nodes.flatMap { $0.inputs.compactMap { $0 } })
    }

    /// The node that `advance` will run; `nil` at the end.
    package var upcoming: Node? { position < nodes.count ? nodes[position] : nil }

    /// Bytes that the run holds: the plan's memory and the values of nodes that run one by one, weights not counted.
    package var byteCount: Int {
        CheckedSize.sum(planned?.plan.peakByteCount ?? 0, valueByteCount) ?? .max
    }

    /// Whether a node is a kernel of a plan, in whose memory its arguments lie.
    private var isStatic: Bool { position < staticCount }

    // MARK: Looking

    /// What the upcoming step will read at a position; `nil` for what is omitted, and for weights that the kernel holds
    /// in a form of its own.
    package func input(_ index: Int) throws(SardonyxError) -> Seen? {
        guard let node = upcoming, index < node.inputs.count, let id = node.inputs[index] else { return nil }
        guard isStatic, let planned else {
            if let value = values[id] { return Seen(value) }
            return try graph[id].constant.map { (constant) throws(SardonyxError) in
                Seen(.tensor(try constant.tensor()))
            }
        }
        let views = planned.workspace.arguments(of: position).inputs
        return try index < views.count ? views[index].map { (view) throws(SardonyxError) in try seen(view) } : nil
    }

    /// What the step that has just run made at a position; `nil` for what is omitted.
    package func output(_ index: Int) throws(SardonyxError) -> Seen? {
        guard position > 0 else { return nil }
        guard position <= staticCount, let planned else {
            return index < made.count ? made[index].map { Seen($0) } : nil
        }
        let views = planned.workspace.arguments(of: position - 1).outputs
        return try index < views.count ? views[index].map { (view) throws(SardonyxError) in try seen(view) } : nil
    }

    private func seen(_ view: TensorView) throws(SardonyxError) -> Seen {
        guard view.layout == .plain else {
            return Seen(.tensor(try view.unblocked(threads: planned?.threads ?? 1)))
        }
        let lent = Buffer(lending: view.pointer, byteCount: view.elementCount * view.dtype.byteSize)
        return Seen(.tensor(Tensor(dtype: view.dtype, shape: view.shape, buffer: lent)), isLent: true)
    }

    // MARK: Changing

    /// Lets the upcoming step, and all that read the same value after it, read another tensor; inputs of the graph and
    /// constants stay as they are.
    /// - Returns: whether the tensor has the element type and shape of what is there.
    package func replaceInput(_ index: Int, with tensor: Tensor) -> Bool {
        guard let node = upcoming, index < node.inputs.count, let id = node.inputs[index],
            !graph.inputs.contains(id), graph[id].constant == nil
        else { return false }
        guard isStatic, let planned else {
            guard let old = values[id]?.tensor, old.dtype == tensor.dtype, old.shape == tensor.shape else {
                return false
            }
            values[id] = .tensor(tensor)
            return true
        }
        guard let operand = planned.plan.steps[position].inputs[index],
            let view = planned.workspace.arguments(of: position).inputs[index], view.dtype == tensor.dtype,
            view.shape == tensor.shape
        else { return false }
        switch operand.base {
        case .feed, .constant: return false
        case .arena, .result: break
        }
        if view.layout == .plain {
            view.pointer.copyMemory(from: tensor.pointer, byteCount: tensor.byteCount)
        } else {
            view.fillBlocked(from: tensor, threads: planned.threads)
        }
        withExtendedLifetime(tensor) {}
        return true
    }

    // MARK: Running

    /// Runs the upcoming step.
    /// - Throws: what the operator finds wrong, `limit` when the values that are alive take more than the budget.
    package func advance() throws(SardonyxError) {
        guard position < nodes.count else { return }
        if isStatic, let planned {
            try planned.workspace.runStep(position, interruption)
            position += 1
            if position == staticCount { finishStatic() }
            return
        }
        guard let tail else { return }
        let index = position - staticCount
        made = try tail.runNode(index, on: try tail.inputs(of: index, values), interruption: interruption)
        for (output, value) in zip(tail.nodes[index].outputs, made) {
            guard let output, let value, wanted.contains(output) else { continue }
            values[output] = value
            byteCounts[output] = value.byteCount
            valueByteCount += value.byteCount
        }
        for id in tail.released(after: index) {
            values[id] = nil
            valueByteCount -= byteCounts.removeValue(forKey: id) ?? 0
        }
        position += 1
        try budget.check(byteCount, for: tail.nodes[index].label)
    }

    private func finishStatic() {
        guard let planned, !isFinished else { return }
        isFinished = true
        planned.workspace.copyResults(feeds: planned.feeds, results: planned.results)
        for (result, tensor) in zip(planned.plan.results, planned.results) { values[result.value] = .tensor(tensor) }
    }

    /// The outputs of the graph, once all steps have run.
    package func outputs() throws(SardonyxError) -> [RuntimeValue] {
        try graph.outputs(in: values)
    }
}

extension RuntimeValue {
    /// Bytes of its elements.
    package var byteCount: Int {
        switch self {
        case .tensor(let tensor): tensor.byteCount
        case .sequence(let sequence): sequence.byteCount
        case .absent: 0
        }
    }
}
