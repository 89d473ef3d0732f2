import GraphIR
import TensorCore

/// Removes nodes that hand one of their inputs through, bit for bit, whatever it holds (`HandedThrough`).
package enum RemoveIdentities: GraphPass {
    package static let name = "remove-identities"
    package static let summary = "remove nodes that hand their input through"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let rule = HandedThrough(graph, opset: context.opsets[Domains.onnx] ?? 1)
        let outputs = Set(graph.outputs)
        // An output cannot hand its name on to one of these: the Identity between them stays.
        let keepsName = outputs.union(graph.inputs + graph.captures)
        for (index, node) in graph.nodes.enumerated() {
            guard let output = node.outputs.first ?? nil, let input = try rule.source(of: node),
                !(outputs.contains(output) && keepsName.contains(input))
            else { continue }
            patch.remove(index)
            // What an output declares holds for the value that takes its place.
            if outputs.contains(output), let type = graph[output].type {
                patch.changeValue(input) { $0.type = $0.type?.refined(by: type) ?? type }
            }
            patch.replaceUses(of: output, with: input)
        }
        try patch.apply(to: &graph)
    }
}
