import GraphIR
import TensorCore

/// Recognises activations that exporters spell out: x·Sigmoid(x) is Silu, x·HardSigmoid(x; 1/6, 1/2) is HardSwish.
package enum FuseActivationPatterns: GraphPass {
    package static let name = "fuse-activation-patterns"
    package static let summary = "recognise activations that exporters spell out (SiLU, HardSwish)"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == "Mul" && node.domain.isEmpty {
            guard node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1] else { continue }
            for (value, gate) in [(left, right), (right, left)] {
                guard let gateIndex = pattern.soleProducer(of: gate), !patch.touches(gateIndex),
                    graph.nodes[gateIndex].inputs.first == value,
                    let activation = activation(gate: graph.nodes[gateIndex])
                else { continue }
                patch.remove(gateIndex)
                patch.replace(
                    index,
                    with: Node(
                        name: node.name, domain: activation.domain, opType: activation.name, inputs: [value],
                        outputs: node.outputs, origins: graph.nodes[gateIndex].origins + node.origins))
                break
            }
        }
        try patch.apply(to: &graph)
    }

    private static func activation(gate: Node) -> (domain: String, name: String)? {
        guard gate.domain.isEmpty else { return nil }
        switch gate.opType {
        case "Sigmoid": return (Domains.internal, "Silu")
        case "HardSigmoid":
            guard case .float(let alpha)? = gate.attributes["alpha"], abs(alpha - 1 / 6) < 1e-6 else { return nil }
            if case .float(let beta)? = gate.attributes["beta"], beta != 0.5 { return nil }
            return (Domains.internal, "HardSwish")
        default: return nil
        }
    }
}
