import GraphIR
import Operators
import Passes
import Synchronization
import TensorCore

/// Makes what runs the subgraphs of a model's nodes: an executor each, which plans once for each set of shapes.
final class SubgraphExecutors: SubgraphHost {
    private let opsets: [String: Int]
    private let options: ExecutionOptions
    private let weights: WeightCache
    private let isPlanned: Bool
    private let runners = Mutex<[WeakRunner]>([])

    private struct WeakRunner: Sendable {
        weak let runner: SubgraphExecutor?
    }

    /// - Parameter isPlanned: `false` runs subgraphs node by node.
    init(opsets: [String: Int], options: ExecutionOptions, weights: WeightCache, isPlanned: Bool) {
        self.opsets = opsets
        self.options = options
        self.weights = weights
        self.isPlanned = isPlanned
    }

    var inference: any SubgraphInference { GraphInference(opsets: opsets) }

    /// Runs single nodes, those with subgraphs included.
    var evaluator: Evaluator {
        Evaluator(threads: options.threads, budget: options.budget, weights: weights, subgraphs: self)
    }

    func runner(for graph: Graph, inputs: [ValueType], label: String) -> any SubgraphRunner {
        var graph = graph
        for (id, type) in zip(graph.inputs, inputs) { graph[id].type = type }
        // What the file says of them need not hold for every iteration.
        for id in graph.outputs where graph[id].constant == nil && !graph.inputs.contains(id) { graph[id].type = nil }
        let runner = SubgraphExecutor { [graph, opsets, options, weights, isPlanned] () throws(SardonyxError) in
            guard isPlanned else {
                let host = SubgraphExecutors(opsets: opsets, options: options, weights: weights, isPlanned: false)
                return .nodes(try NodeByNode(graph, opsets: opsets, evaluator: host.evaluator))
            }
            return .plans(try GraphExecutor(subgraph: graph, opsets: opsets, options: options, weights: weights))
        }
        runners.withLock { runners in
            runners.removeAll { $0.runner == nil }
            runners.append(WeakRunner(runner: runner))
        }
        return runner
    }

    /// Lets go of the memory of idle workspaces.
    func trim() {
        for entry in runners.withLock({ $0 }) { entry.runner?.trim() }
    }
}

/// What runs one subgraph; made when it is first run, as branches that are never taken need nothing.
private final class SubgraphExecutor: SubgraphRunner {
    enum Executor: Sendable {
        case plans(GraphExecutor)
        case nodes(NodeByNode)
    }
    private let make: @Sendable () throws(SardonyxError) -> Executor
    private let executor = Mutex<Executor?>(nil)

    init(_ make: @escaping @Sendable () throws(SardonyxError) -> Executor) { self.make = make }

    func run(_ inputs: [RuntimeValue], interruption: Interruption?) throws(SardonyxError) -> [RuntimeValue] {
        switch try ready() {
        case .plans(let executor): return try executor.run(values: inputs, interruption: interruption)
        case .nodes(let nodes): return try nodes.run(inputs, interruption: interruption)
        }
    }

    private func ready() throws(SardonyxError) -> Executor {
        if let executor = executor.withLock({ $0 }) { return executor }
        let made = try make()
        return executor.withLock { executor in
            if let executor { return executor }
            executor = made
            return made
        }
    }

    func trim() {
        if case .plans(let executor)? = executor.withLock({ $0 }) { executor.trim() }
    }
}
