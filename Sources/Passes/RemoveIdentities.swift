import GraphIR
import TensorCore

/// Removes nodes that hand their input through: Identity, Dropout in inference form, Cast to the same type,
/// Reshape, Expand and Transpose that change nothing.
package enum RemoveIdentities: GraphPass {
    package static let name = "remove-identities"
    package static let summary = "remove nodes that hand their input through"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let consumers = graph.consumers()
        // An output cannot hand its name on to one of these: the Identity between them stays.
        let keepsName = Set(graph.inputs + graph.captures + graph.outputs)
        for (index, node) in graph.nodes.enumerated() where isIdentity(node, graph, consumers) {
            guard let input = node.inputs.first ?? nil, let output = node.outputs.first ?? nil,
                !(graph.outputs.contains(output) && keepsName.contains(input))
            else { continue }
            patch.remove(index)
            patch.replaceUses(of: output, with: input)
        }
        try patch.apply(to: &graph)
    }

    private static func isIdentity(_ node: Node, _ graph: Graph, _ consumers: [[Int]]) -> Bool {
        guard node.domain == Domains.onnx, let input = node.inputs.first ?? nil, let output = node.outputs.first ?? nil
        else { return false }
        let (source, result) = (graph[input].type, graph[output].type)
        switch node.opType {
        case "Identity": return true
        case "Dropout":
            let maskIsRead =
                node.outputs.count > 1
                && node.outputs[1].map { !consumers[$0.index].isEmpty || graph.outputs.contains($0) } ?? false
            let trains = node.inputs.count > 2 && node.inputs[2] != nil
            return !maskIsRead && !trains
        case "Cast": return source?.dtype != nil && source?.dtype == result?.dtype
        case "Reshape", "Expand", "Squeeze", "Unsqueeze", "Flatten":
            guard let before = source?.shape?.knownDims, let after = result?.shape?.knownDims else { return false }
            return before == after
        case "Transpose":
            guard case .ints(let permutation)? = node.attributes["perm"] else { return false }
            return permutation == Array(permutation.indices)
        default: return false
        }
    }
}
