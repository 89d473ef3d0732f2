import GraphIR
import TensorCore

/// Removes Relu from values that cannot be negative, as behind the linear upsampling of a Relu's result.
package enum RemoveRedundantRelus: GraphPass {
    package static let name = "remove-redundant-relus"
    package static let summary = "remove Relu where its input cannot be negative"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        var nonNegative: Set<ValueID> = []
        for (index, node) in graph.nodes.enumerated() where node.domain == Domains.onnx {
            guard let output = node.outputs.first ?? nil else { continue }
            if let input = node.inputs.first ?? nil, node.opType == "Relu", nonNegative.contains(input) {
                patch.remove(index)
                patch.replaceUses(of: output, with: input)
            }
            if isNonNegative(node, nonNegative) { nonNegative.insert(output) }
        }
        try patch.apply(to: &graph)
    }

    /// Whether output 0 of a node cannot be negative (it may be NaN, which Relu hands through).
    private static func isNonNegative(_ node: Node, _ known: Set<ValueID>) -> Bool {
        let holds = { (input: ValueID?) in input.map(known.contains) ?? false }
        switch node.opType {
        case "Relu", "Sigmoid", "HardSigmoid", "Softmax", "Exp": return true
        case "Add", "Mul", "Concat", "Max": return node.inputs.allSatisfy(holds)
        case "AveragePool", "GlobalAveragePool": return holds(node.inputs.first ?? nil)
        case "Resize": return isConvex(node) && holds(node.inputs.first ?? nil)
        default: return node.movesElementsOnly && holds(node.inputs[0])
        }
    }

    /// Whether a Resize only averages: cubic weights may be negative, and a crop may fill in any value.
    private static func isConvex(_ node: Node) -> Bool {
        if case .string(let mode)? = node.attributes["coordinate_transformation_mode"],
            mode == Array("tf_crop_and_resize".utf8)
        {
            return false
        }
        guard case .string(let mode)? = node.attributes["mode"] else { return true }
        return mode == Array("linear".utf8) || mode == Array("nearest".utf8)
    }
}
