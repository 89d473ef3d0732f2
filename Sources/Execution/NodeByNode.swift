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

    /// - Parameter feeds: by graph input; `nil` for those that are not given.
    /// - Returns: by graph output.
    package func run(
        _ feeds: [RuntimeValue?], interruption: Interruption? = nil
    ) throws(SardonyxError) -> [RuntimeValue] {
        var values: [ValueID: RuntimeValue] = [:]
        for (id, feed) in zip(graph.inputs, feeds) { values[id] = feed }
        try tail.run(&values, interruption: interruption, observer: nil)
        var outputs: [RuntimeValue] = []
        for id in graph.outputs {
            if let value = values[id] {
                outputs.append(value)
            } else if let constant = graph[id].constant {
                outputs.append(.tensor(try constant.tensor()))
            } else {
                throw SardonyxError(.internal, "output '\(graph[id].name)'", "was not computed")
            }
        }
        return outputs
    }
}
