import GraphIR
import Operators
import TensorCore

/// Runs a graph one node at a time, without passes or a plan.
package struct NodeByNode: Sendable {
    let graph: Graph
    let tail: DynamicTail

    /// A model as it is; its subgraphs run node by node, too.
    package init(_ model: ModelGraph, threads: Int) throws(SardonyxError) {
        try self.init(model, options: ExecutionOptions(threads: threads, budget: .unlimited))
    }

    /// As above; no value may be larger than the budget.
    package init(_ model: ModelGraph, options: ExecutionOptions) throws(SardonyxError) {
        var graph = model.graph
        graph.closeSubgraphs()
        let host = SubgraphExecutors(
            opsets: model.opsets, options: options, weights: WeightCache(allowsWinograd: options.allowsWinograd),
            isPlanned: false)
        try self.init(graph, opsets: model.opsets, evaluator: host.evaluator)
    }

    /// - Parameter graph: closed (`Graph.closeSubgraphs`).
    init(_ graph: Graph, opsets: [String: Int], evaluator: Evaluator) throws(SardonyxError) {
        self.graph = graph
        self.tail = try DynamicTail(
            nodes: graph.nodes, graph: graph, opsets: opsets, evaluator: evaluator, interruption: nil)
    }

    /// - Parameters:
    ///   - feeds: by graph input; `nil` for those that are not given.
    ///   - observer: told of every node; its indices are those of the graph's nodes.
    /// - Returns: by graph output.
    package func run(
        _ feeds: [RuntimeValue?], interruption: Interruption? = nil, observer: StepObserver? = nil
    ) throws(SardonyxError) -> [RuntimeValue] {
        var values: [ValueID: RuntimeValue] = [:]
        for (id, feed) in zip(graph.inputs, feeds) { values[id] = feed }
        try tail.run(&values, interruption: interruption, observer: observer)
        return try graph.outputs(in: values)
    }
}
