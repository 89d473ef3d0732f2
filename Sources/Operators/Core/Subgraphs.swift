import GraphIR
import TensorCore

/// Infers the outputs of a subgraph from what is known of its inputs.
package protocol SubgraphInference: Sendable {
    /// Subgraphs around the one that is inferred.
    var depth: Int { get }
    func outputs(of graph: Graph, inputs: [Inferred]) throws(SardonyxError) -> [Inferred]
}

/// Runs one subgraph any number of times, from any thread.
package protocol SubgraphRunner: Sendable {
    /// - Returns: by graph output.
    func run(_ inputs: [RuntimeValue], interruption: Interruption?) throws(SardonyxError) -> [RuntimeValue]
}

/// Whoever can run subgraphs: gives operators what they run theirs with.
package protocol SubgraphHost: Sendable {
    var inference: any SubgraphInference { get }
    /// - Parameters:
    ///   - inputs: types of the graph's inputs; their shapes say nothing.
    ///   - label: of the node, for messages.
    func runner(for graph: Graph, inputs: [ValueType], label: String) -> any SubgraphRunner
}
