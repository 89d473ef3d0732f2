import GraphIR
import TensorCore

/// Adds what is added to every channel of a convolution to its bias. The sum of the two biases is rounded before the
/// products are added, so that results may differ by a unit in the last place of the largest term.
package enum FuseConvBias: GraphPass {
    package static let name = "fuse-conv-bias"
    package static let summary = "fold constants added per channel into the bias before them"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        // Before, Add says by attributes where it broadcasts.
        guard context.opsets[Domains.onnx] ?? 1 >= 7 else { return }
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == "Add" && node.domain == Domains.onnx {
            for (value, addend) in node.operandOrders {
                guard let convIndex = pattern.soleProducer(of: value), !patch.touches(convIndex),
                    graph.nodes[convIndex].domain == Domains.onnx, pattern.isConv(graph.nodes[convIndex]),
                    let fused = try fused(graph.nodes[convIndex], adding: addend, graph)
                else { continue }
                var conv = graph.nodes[convIndex]
                let name = Name((node.name.isEmpty ? conv.name : node.name).string + "·bias")
                conv.inputs = [conv.inputs[0], conv.inputs[1], patch.addConstant(name, fused)]
                conv.outputs = [node.outputs[0]]
                conv.origins += node.origins
                patch.remove(convIndex)
                patch.replace(index, with: conv)
                break
            }
        }
        try patch.apply(to: &graph)
    }

    /// The bias of a convolution and another one, or `nil` where that is no constant per channel.
    private static func fused(_ conv: Node, adding id: ValueID, _ graph: Graph) throws(SardonyxError) -> Constant? {
        guard let addend = graph[id].constant, addend.dtype == .float32, let weight = conv.inputs[1],
            let dims = graph[weight].type?.shape?.knownDims, let channels = dims.first, channels > 0
        else { return nil }
        // Aligned at the last axis; channels are axis 1.
        let own = addend.shape.dims
        guard own.count <= dims.count, addend.shape.elementCount == 1 || addend.shape.elementCount == channels,
            own.enumerated().allSatisfy({ $1 == 1 || $0 + dims.count - own.count == 1 })
        else { return nil }
        var sums: [Float] = try addend.tensor().array()
        if sums.count == 1 { sums = [Float](repeating: sums[0], count: channels) }
        if conv.inputs.count > 2, let bias = conv.inputs[2] {
            guard let constant = graph[bias].constant, constant.dtype == .float32,
                constant.shape.elementCount == channels
            else { return nil }
            let biases: [Float] = try constant.tensor().array()
            sums = zip(biases, sums).map(+)
        }
        return Constant(try Tensor(sums, dims: [channels]))
    }
}
