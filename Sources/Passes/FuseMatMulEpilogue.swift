import GraphIR
import Operators
import TensorCore

/// Lets a matrix product add a constant bias of its columns and apply the activation behind it.
package enum FuseMatMulEpilogue: GraphPass {
    package static let name = "fuse-matmul-epilogue"
    package static let summary = "add biases and apply activations inside matrix products"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        try fuseBiases(&graph)
        try fuseActivations(&graph, context)
    }

    private static func fuseBiases(_ graph: inout Graph) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == "Add" && node.domain == Domains.onnx {
            for (value, bias) in node.operandOrders {
                guard let product = pattern.soleProducer(of: value), !patch.touches(product),
                    isProduct(graph.nodes[product], ["MatMul"], pattern), graph.nodes[product].inputs.count == 2,
                    let columns = pattern.dims(of: graph.nodes[product].inputs[1]), columns.count > 1,
                    graph[bias].constant != nil, let biasDims = pattern.dims(of: bias),
                    biasDims.last == columns.last, biasDims.dropLast().allSatisfy({ $0 == 1 }),
                    pattern.dims(of: node.outputs[0]) == pattern.dims(of: value)
                else { continue }
                var fused = FusionPattern.fused(graph.nodes[product], swallowing: node)
                fused.inputs.append(bias)
                patch.remove(product)
                patch.replace(index, with: fused)
                break
            }
        }
        try patch.apply(to: &graph)
    }

    private static func fuseActivations(_ graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() {
            guard let product = pattern.soleProducer(of: node.inputs.first ?? nil), !patch.touches(product),
                isProduct(graph.nodes[product], ["MatMul", "Gemm"], pattern),
                !graph.nodes[product].hasFusedActivation,
                let attributes = try FuseConvActivation.activation(node, graph, context)
            else { continue }
            patch.remove(product)
            patch.replace(
                index, with: FusionPattern.fused(graph.nodes[product], swallowing: node, attributes: attributes))
        }
        try patch.apply(to: &graph)
    }

    private static func isProduct(_ node: Node, _ types: [String], _ pattern: FusionPattern) -> Bool {
        types.contains(node.opType) && (node.domain == Domains.onnx || node.domain == Domains.internal)
            && pattern.isFloat32(node.outputs.first ?? nil)
    }
}
