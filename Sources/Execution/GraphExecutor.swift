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
        var plans: [(shapes: [Shape], plan: Plan)] = []
        var idle: [IdleWorkspace] = []
    }

    /// - Throws: `unsupported` with the complete list of missing operators, and what passes and shapes show to be wrong.
    /// - Parameter interruption: asked before every node that is inferred, folded or planned.
    package init(
        _ model: ModelGraph, options: ExecutionOptions, interruption: (any Interruption)? = nil
    ) throws(SardonyxError) {
        self.options = options
        self.opsets = model.opsets
        try OperatorCoverage.check(model)
        self.pipeline = Pipeline(
            opsets: model.opsets, disabled: options.disabledPasses,
            evaluator: Evaluator(
                threads: options.threads, budget: options.budget,
                weights: WeightCache(allowsWinograd: options.allowsWinograd)))
        self.weights = WeightCache(allowsWinograd: options.allowsWinograd)
        var graph = model.graph
        try pipeline.run(.model, on: &graph, interruption: interruption)
        graph.compactValues()
        self.graph = graph
        let shapes = graph.inputs.map { try? graph[$0].type?.shape?.concrete() }
        let known = shapes.compactMap { $0 }
        if known.count == shapes.count { _ = try plan(for: known, interruption: interruption) }
    }

    /// The plan for these shapes of the graph's inputs, made if it is not there.
    package func plan(
        for shapes: [Shape], interruption: (any Interruption)? = nil
    ) throws(SardonyxError) -> Plan {
        if let plan = state.withLock({ $0.plan(for: shapes) }) { return plan }
        var specialised = graph
        var bindings: [ValueID: Shape] = [:]
        for (id, shape) in zip(graph.inputs, shapes) { bindings[id] = shape }
        try pipeline.run(.plan, on: &specialised, bindings: bindings, interruption: interruption)
        var builder = try PlanBuilder(
            graph: specialised, opsets: opsets, options: options, weights: weights, interruption: interruption)
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

    /// Lets go of the memory of idle workspaces; the next run allocates it anew.
    package func trim() { state.withLock { $0.idle.removeAll() } }

    /// Runs the graph.
    /// - Parameter feeds: by graph input; shapes and types already checked against the signature.
    /// - Returns: by graph output.
    package func run(
        _ feeds: [Tensor], interruption: Interruption? = nil, observer: StepObserver? = nil
    ) throws(SardonyxError) -> [Tensor] {
        try interruption?.check()
        let plan = try plan(for: feeds.map(\.shape), interruption: interruption)
        var results: [Tensor] = []
        results.reserveCapacity(plan.results.count)
        for result in plan.results {
            results.append(
                try Tensor(dtype: result.info.dtype, shape: result.info.shape) { (_) throws(SardonyxError) in })
        }
        try runSteps(of: plan, feeds, results, interruption, observer)
        var values: [ValueID: Tensor] = [:]
        if let tail = plan.tail {
            for (id, feed) in zip(plan.graph.inputs, feeds) { values[id] = feed }
            for (result, tensor) in zip(plan.results, results) { values[result.value] = tensor }
            let evaluator = Evaluator(threads: options.threads, budget: options.budget, weights: weights)
            try tail.run(&values, evaluator: evaluator, interruption: interruption, observer: observer)
        }
        return try plan.outputs.map { (output) throws(SardonyxError) in
            switch output {
            case .result(let index): return results[index]
            case .constant(let tensor): return tensor
            case .feed(let index): return feeds[index]
            case .tail(let id):
                guard let tensor = values[id] else {
                    throw SardonyxError(.internal, "output '\(plan.graph[id].name)'", "was not computed")
                }
                return tensor
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
    fileprivate mutating func plan(for shapes: [Shape]) -> Plan? {
        guard let index = plans.firstIndex(where: { $0.shapes == shapes }) else { return nil }
        if index != plans.count - 1 { plans.append(plans.remove(at: index)) }
        return plans[plans.count - 1].plan
    }

    fileprivate mutating func takeWorkspace(of plan: ObjectIdentifier) -> GraphExecutor.IdleWorkspace? {
        guard let index = idle.lastIndex(where: { $0.plan == plan }) else { return nil }
        return idle.remove(at: index)
    }
}
