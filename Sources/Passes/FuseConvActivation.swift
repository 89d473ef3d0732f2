import GraphIR
import Operators
import TensorCore

/// Lets a convolution apply the activation behind it as it stores its result, also where operators that only move
/// elements (the Transpose and Reshape of a detector's head) stand between the two.
package enum FuseConvActivation: GraphPass {
    package static let name = "fuse-conv-activation"
    package static let summary = "apply activations inside the convolution before them"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() {
            guard let attributes = try activation(node, graph, context), let input = node.inputs.first ?? nil,
                let output = node.outputs[0], let path = pathFromConvolution(to: input, pattern),
                let convIndex = path.first,
                !graph.nodes[convIndex].hasFusedActivation
            else { continue }
            patch.remove(index)
            activate(path, into: output, &patch)
            patch.change(convIndex) { conv in
                conv = FusionPattern.internalForm(of: conv)
                conv.origins += node.origins
                conv.attributes.merge(attributes) { $1 }
            }
        }
        try patch.apply(to: &graph)
    }

    /// A convolution whose elements `value` holds, in whatever order, if nothing else reads them, and the nodes that move
    /// them, in order.
    private static func pathFromConvolution(to value: ValueID, _ pattern: FusionPattern) -> [Int]? {
        var value = value
        var path: [Int] = []
        while let index = pattern.soleProducer(of: value) {
            let node = pattern.graph.nodes[index]
            path.append(index)
            if pattern.isConv(node) { return path.reversed() }
            guard node.movesElementsOnly, let input = node.inputs[0] else { return nil }
            value = input
        }
        return nil
    }

    /// Lets the last node of the path make `output`; values on the way get other names, as they hold something else now.
    private static func activate(_ path: [Int], into output: ValueID, _ patch: inout GraphPatch) {
        var previous: ValueID?
        for (position, index) in path.enumerated() {
            var made = output
            if position < path.count - 1, let old = patch.base.nodes[index].outputs[0] {
                made = patch.addValue(
                    Value(name: Name(patch.base[old].name.string + "·activated"), type: patch.base[old].type))
            }
            patch.change(index) { node in
                node.outputs = [made]
                if let previous { node.inputs[0] = previous }
            }
            previous = made
        }
    }

    /// The attributes `activation`, `activation_alpha`, `activation_beta` for a node that is one; else `nil`.
    static func activation(
        _ node: Node, _ graph: Graph, _ context: PassContext
    ) throws(SardonyxError) -> [String: Attribute]? {
        guard node.domain == Domains.onnx || node.domain == Domains.internal else { return nil }
        let reader = NodeReader(node, opset: context.opsets[node.domain] ?? 1)
        var parameters: (alpha: Float, beta: Float) = (0, 0)
        switch node.opType {
        case "Relu", "Sigmoid", "Tanh", "HardSwish", "Silu", "Mish": break
        case "Gelu": guard try reader.string("approximate", default: "none") == "none" else { return nil }
        case "LeakyRelu": parameters.alpha = try reader.float("alpha", default: 0.01)
        case "Elu": parameters.alpha = try reader.float("alpha", default: 1)
        case "HardSigmoid":
            parameters = (try reader.float("alpha", default: 0.2), try reader.float("beta", default: 0.5))
        case "Clip":
            guard let bounds = try clipBounds(reader, graph) else { return nil }
            parameters = bounds
        default: return nil
        }
        return [
            "activation": .string(Array(node.opType.utf8)), "activation_alpha": .float(parameters.alpha),
            "activation_beta": .float(parameters.beta),
        ]
    }

    private static func clipBounds(_ reader: NodeReader, _ graph: Graph) throws(SardonyxError) -> (Float, Float)? {
        var bounds = (-Float.infinity, Float.infinity)
        if reader.opset < 11 {
            bounds = (try reader.float("min", default: bounds.0), try reader.float("max", default: bounds.1))
        }
        for (position, input) in reader.node.inputs.enumerated().dropFirst() {
            guard let input else { continue }
            guard let constant = graph[input].constant, constant.dtype == .float32, constant.shape.elementCount == 1,
                let value = try constant.tensor().elements(of: Float.self).first, !value.isNaN
            else { return nil }
            if position == 1 { bounds.0 = value } else { bounds.1 = value }
        }
        return bounds.0 <= bounds.1 ? bounds : nil
    }
}
