import GraphIR
import TensorCore

/// Recognises x·Sigmoid(x), as exporters spell SiLU out.
package enum FuseSilu: GraphPass {
    package static let name = "fuse-silu"
    package static let summary = "recognise SiLU spelled out with Sigmoid"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        try GatedActivation.fuse(on: &graph, as: "Silu") { $0.opType == "Sigmoid" }
    }
}

/// Products of a value and a gate that is a function of the same value.
enum GatedActivation {
    /// Makes one internal operator of x·gate(x) where nothing else reads the gate.
    static func fuse(
        on graph: inout Graph, as opType: String, isGate: (Node) -> Bool
    ) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == "Mul" && node.domain == Domains.onnx {
            for (value, gate) in node.operandOrders {
                guard let gateIndex = pattern.soleProducer(of: gate), !patch.touches(gateIndex),
                    graph.nodes[gateIndex].inputs.first == value, graph.nodes[gateIndex].domain == Domains.onnx,
                    isGate(graph.nodes[gateIndex])
                else { continue }
                patch.fuse([gateIndex], into: index, as: opType, inputs: [value])
                break
            }
        }
        try patch.apply(to: &graph)
    }
}
