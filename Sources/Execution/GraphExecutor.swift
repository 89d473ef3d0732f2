import GraphIR
import Operators
import Passes
import Synchronization
import TensorCore

/// Runs a model graph: optimises it once, plans once for each set of input shapes, and runs plans from any thread.
package final class GraphExecutor: Sendable {
    package let options: ExecutionOptions
    /// The graph after the passes that hold for every input shape.
    package let graph: Graph
    package let opsets: [String: Int]
    private let pipeline: Pipeline
    private let weights: WeightCache
    private let state = Mutex(State())

    /// Idle workspaces belong to nobody until taken under the lock, and to one run after that.
    fileprivate struct IdleWorkspace: @unchecked Sendable {
        let plan: ObjectIdentifier
        let workspace: Workspace
    }

    fileprivate struct State: Sendable {
        /// Most recently used last.
        var plans: [(shapes: [Shape?], plan: Plan)] = []
        var idle: [IdleWorkspace] = []
        /// Runs in a row that found no plan for their shapes.
        var misses = 0
    }

    /// Subgraphs whose shapes change in every iteration are not planned more often than this in a row.
    private static let mostMisses = 8
    private let subgraphs: SubgraphExecutors
    /// Runs a subgraph whose shapes are not worth a plan; `nil` for a whole model.
    private let unplanned: NodeByNode?
    /// By graph input: whether plans depend on its shape.
    private let isTensor: [Bool]

    /// - Throws: `unsupported` with the complete list of missing operators, and what passes and shapes show to be wrong.
    /// - Parameter interruption: asked before every node that is inferred, folded or planned.
    package convenience init(
        _ model: ModelGraph, options: ExecutionOptions, interruption: (any Interruption)? = nil
    ) throws(SardonyxError) {
        try OperatorCoverage.check(model)
        var graph = model.graph
        graph.closeSubgraphs()
        try self.init(
            graph, opsets: model.opsets, options: options,
            weights: WeightCache(allowsWinograd: options.allowsWinograd), isSubgraph: false, interruption: interruption)
        let shapes = self.graph.inputs.map { try? self.graph[$0].type?.shape?.concrete() }
        let known = shapes.compactMap { $0 }
        if known.count == shapes.count { _ = try plan(for: known, interruption: interruption) }
    }

    /// - Parameter subgraph: closed (`Graph.closeSubgraphs`), with the types of its inputs.
    convenience init(
        subgraph: Graph, opsets: [String: Int], options: ExecutionOptions, weights: WeightCache
    ) throws(SardonyxError) {
        try self.init(
            subgraph, opsets: opsets, options: options, weights: weights, isSubgraph: true, interruption: nil)
    }

    private init(
        _ closed: Graph, opsets: [String: Int], options: ExecutionOptions, weights: WeightCache, isSubgraph: Bool,
        interruption: (any Interruption)?
    ) throws(SardonyxError) {
        self.options = options
        self.opsets = opsets
        self.pipeline = Pipeline(
            opsets: opsets, disabled: options.disabledPasses,
            evaluator: Evaluator(
                threads: options.threads, budget: options.budget,
                weights: WeightCache(allowsWinograd: options.allowsWinograd)))
        self.weights = weights
        self.subgraphs = SubgraphExecutors(opsets: opsets, options: options, weights: weights, isPlanned: true)
        var graph = closed
        try pipeline.run(.model, on: &graph, interruption: interruption)
        graph.compactValues()
        self.graph = graph
        self.isTensor = graph.inputs.map { graph[$0].type?.dtype != nil }
        self.unplanned = isSubgraph ? try NodeByNode(graph, opsets: opsets, evaluator: subgraphs.evaluator) : nil
    }

    /// The plan for these shapes of the graph's inputs, made if it is not there.
    /// - Parameter shapes: `nil` for inputs that are no tensors.
    package func plan(
        for shapes: [Shape?], interruption: (any Interruption)? = nil
    ) throws(SardonyxError) -> Plan {
        if let plan = state.withLock({ $0.plan(for: shapes) }) { return plan }
        var specialised = graph
        var bindings: [ValueID: Shape] = [:]
        for (id, shape) in zip(graph.inputs, shapes) { bindings[id] = shape }
        try pipeline.run(.plan, on: &specialised, bindings: bindings, interruption: interruption)
        var builder = try PlanBuilder(
            graph: specialised, opsets: opsets, options: options, evaluator: subgraphs.evaluator,
            interruption: interruption)
        let plan = try builder.build()
        return state.withLock { state in
            if let existing = state.plan(for: shapes) { return existing }
            state.plans.append((shapes, plan))
            if state.plans.count > max(1, options.planCapacity) {
                let evicted = ObjectIdentifier(state.plans.removeFirst().plan)
                state.idle.removeAll { $0.plan == evicted }
            }
            return plan
        }
    }

    /// Bytes of packed weights, shared by all plans.
    package var weightByteCount: Int { weights.byteCount }

    /// Lets go of the memory of idle workspaces, those of subgraphs included, and of what is kept for results; the next
    /// run allocates it anew.
    package func trim() {
        BlockCache.trim()
        state.withLock { $0.idle.removeAll() }
        subgraphs.trim()
    }

    /// Runs a graph whose inputs and outputs are tensors.
    /// - Parameter feeds: by graph input; shapes and types already checked against the signature.
    /// - Returns: by graph output.
    package func run(
        _ feeds: [Tensor], interruption: Interruption? = nil, observer: StepObserver? = nil
    ) throws(SardonyxError) -> [Tensor] {
        try interruption?.check()
        let plan = try plan(for: feeds.map(\.shape), interruption: interruption)
        return try run(plan, feeds, feeds.map(RuntimeValue.tensor), interruption, observer).map {
            (value) throws(SardonyxError) in
            guard case .tensor(let tensor) = value else {
                throw SardonyxError(.unsupported, "output", "kind of value", got: "\(value.type)", allowed: "tensors")
            }
            return tensor
        }
    }

    /// Runs the graph on values of any kind.
    /// - Parameter feeds: by graph input.
    /// - Returns: by graph output.
    /// - Throws: `input` for a value of another kind or element type than its input.
    package func run(
        values feeds: [RuntimeValue], interruption: Interruption? = nil, observer: StepObserver? = nil
    ) throws(SardonyxError) -> [RuntimeValue] {
        try interruption?.check()
        try graph.require(feeds)
        let shapes = zip(feeds, isTensor).map { feed, isTensor in isTensor ? feed.tensor?.shape : nil }
        if let unplanned, !isWorthPlanning(shapes) { return try unplanned.run(feeds, interruption: interruption) }
        let plan = try plan(for: shapes, interruption: interruption)
        return try run(plan, Plan.tensors(of: feeds), feeds, interruption, observer)
    }

    private func isWorthPlanning(_ shapes: [Shape?]) -> Bool {
        state.withLock { state in
            let isPlanned = state.plans.contains { $0.shapes == shapes }
            state.misses = isPlanned ? 0 : state.misses + 1
            return state.misses <= Self.mostMisses
        }
    }

    private func run(
        _ plan: Plan, _ feeds: [Tensor], _ values: [RuntimeValue], _ interruption: Interruption?,
        _ observer: StepObserver?
    ) throws(SardonyxError) -> [RuntimeValue] {
        let results = try plan.makeResults()
        try runSteps(of: plan, feeds, results, interruption, observer)
        var computed: [ValueID: RuntimeValue] = [:]
        if let tail = plan.tail {
            for (id, value) in zip(plan.graph.inputs, values) { computed[id] = value }
            for (result, tensor) in zip(plan.results, results) { computed[result.value] = .tensor(tensor) }
            try tail.run(&computed, interruption: interruption, observer: observer)
        }
        return try plan.outputs.map { (output) throws(SardonyxError) in
            switch output {
            case .result(let index): return .tensor(results[index])
            case .constant(let tensor): return .tensor(tensor)
            case .feed(let index): return values[index]
            case .tail(let id):
                guard let value = computed[id] else {
                    throw SardonyxError(.internal, "output '\(plan.graph[id].name)'", "was not computed")
                }
                return value
            }
        }
    }

    /// The static part of a run into memory that the caller has made; in a warm session this allocates nothing.
    package func runSteps(
        of plan: Plan, _ feeds: [Tensor], _ results: [Tensor], _ interruption: Interruption? = nil,
        _ observer: StepObserver? = nil
    ) throws(SardonyxError) {
        let identity = ObjectIdentifier(plan)
        let idle = state.withLock { $0.takeWorkspace(of: identity) }
        let workspace = if let idle { idle.workspace } else { try Workspace(plan: plan, options: options) }
        defer { giveBack(IdleWorkspace(plan: identity, workspace: workspace)) }
        try workspace.run(feeds: feeds, results: results, interruption: interruption, observer: observer)
    }

    private func giveBack(_ workspace: sending IdleWorkspace) {
        state.withLock { state in
            // Of an evicted plan nothing is kept.
            if state.plans.contains(where: { ObjectIdentifier($0.plan) == workspace.plan }) {
                state.idle.append(workspace)
            }
        }
    }
}

extension GraphExecutor.State {
    /// The plan for these shapes, made the most recently used.
    fileprivate mutating func plan(for shapes: [Shape?]) -> Plan? {
        guard let index = plans.firstIndex(where: { $0.shapes == shapes }) else { return nil }
        if index != plans.count - 1 { plans.append(plans.remove(at: index)) }
        return plans[plans.count - 1].plan
    }

    fileprivate mutating func takeWorkspace(of plan: ObjectIdentifier) -> GraphExecutor.IdleWorkspace? {
        guard let index = idle.lastIndex(where: { $0.plan == plan }) else { return nil }
        return idle.remove(at: index)
    }
}
