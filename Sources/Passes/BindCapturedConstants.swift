import GraphIR
import Operators
import TensorCore

/// Gives subgraphs the constants that they take from the enclosing graph, so that their plans may pack and fold them.
package enum BindCapturedConstants: GraphPass {
    package static let name = "bind-captured-constants"
    package static let summary = "move constants that subgraphs read into them"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        for index in graph.nodes.indices where graph.nodes[index].captureCount > 0 {
            var node = graph.nodes[index]
            if node.bindCapturedConstants(of: graph) { patch.change(index) { $0 = node } }
        }
        try patch.apply(to: &graph)
    }
}
