import GraphIR
import Operators
import TensorCore

/// Evaluates nodes whose inputs are constant, shape arithmetic included.
package enum FoldConstants: GraphPass {
    package static let name = "fold-constants"
    package static let summary = "evaluate nodes whose inputs are constant, shape arithmetic included"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var inference = context.inference
        inference.evaluator = context.evaluator
        try inference.run(on: &graph, bindings: context.bindings)
        var patch = GraphPatch(graph)
        for (index, node) in graph.nodes.enumerated() {
            let isConstant = node.outputs.allSatisfy { $0 == nil || $0.map { graph[$0].constant != nil } ?? true }
            if isConstant, !node.outputs.isEmpty { patch.remove(index) }
        }
        try patch.apply(to: &graph)
    }
}
