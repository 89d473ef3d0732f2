import GraphIR
import TensorCore

/// Lets a convolution store its result as `[N, H, W, K]` where the only reader is Transpose(0, 2, 3, 1), as in the
/// prediction heads of detectors; the Reshape and Concat behind it are then views of the same memory.
package enum MoveChannelsLast: GraphPass {
    package static let name = "move-channels-last"
    package static let summary = "store head outputs channels-last instead of transposing them"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == "Transpose" && node.domain.isEmpty {
            guard case .ints([0, 2, 3, 1])? = node.attributes["perm"],
                let convIndex = pattern.soleProducer(of: node.inputs.first ?? nil), !patch.touches(convIndex),
                pattern.isConv(graph.nodes[convIndex]), graph.nodes[convIndex].inputs.count < 4,
                !graph.nodes[convIndex].isChannelsLast
            else { continue }
            patch.remove(convIndex)
            patch.replace(
                index,
                with: FusionPattern.fused(
                    graph.nodes[convIndex], swallowing: node, attributes: ["channels_last": .int(1)]))
        }
        try patch.apply(to: &graph)
    }
}
