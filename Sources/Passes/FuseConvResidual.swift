import GraphIR
import TensorCore

/// Lets a convolution add another tensor of its output's shape (the shortcut of a residual block, the finer map of a
/// feature pyramid) as it stores its result.
package enum FuseConvResidual: GraphPass {
    package static let name = "fuse-conv-residual"
    package static let summary = "add shortcuts inside the convolution before them"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        var position: [ValueID: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            for case let output? in node.outputs { position[output] = index }
        }
        for (index, node) in graph.nodes.enumerated() where node.opType == "Add" && node.domain.isEmpty {
            guard node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1], left != right,
                let output = node.outputs[0], let shape = graph[output].type?.shape?.knownDims, shape.count == 4,
                graph[left].type?.shape?.knownDims == shape, graph[right].type?.shape?.knownDims == shape
            else { continue }
            // The later of two candidates: the other one is the shortcut, computed before it.
            let candidates = [(left, right), (right, left)].sorted { position[$0.0] ?? -1 > position[$1.0] ?? -1 }
            for (value, shortcut) in candidates {
                guard let convIndex = pattern.soleProducer(of: value), !patch.touches(convIndex),
                    pattern.isConv(graph.nodes[convIndex])
                else { continue }
                let conv = graph.nodes[convIndex]
                guard conv.inputs.count < 4, !conv.hasFusedActivation, !conv.isChannelsLast else { continue }
                var fused = FusionPattern.fused(conv, swallowing: node)
                fused.inputs = [conv.inputs[0], conv.inputs[1], conv.inputs.count > 2 ? conv.inputs[2] : nil, shortcut]
                patch.remove(convIndex)
                patch.replace(index, with: fused)
                break
            }
        }
        try patch.apply(to: &graph)
    }
}
