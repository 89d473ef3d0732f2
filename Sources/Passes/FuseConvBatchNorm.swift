import GraphIR
import TensorCore

/// Folds BatchNormalization in inference form into the weights and bias of the convolution before it.
///
/// y = (conv(x, w) + b − mean)·scale/√(var + ε) + shift = conv(x, w·s) + (b − mean)·s + shift; s is computed in double
/// precision. The new weights are computed when they are packed, so the old and the new are never both kept.
package enum FuseConvBatchNorm: GraphPass {
    package static let name = "fuse-conv-batchnorm"
    package static let summary = "fold BatchNormalization into the convolution before it"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == "BatchNormalization" && node.domain.isEmpty {
            guard let convIndex = pattern.soleProducer(of: node.inputs.first ?? nil), node.inputs.count == 5,
                !node.outputs.dropFirst().contains(where: { $0 != nil }), !isTraining(node), !patch.touches(convIndex)
            else { continue }
            let conv = graph.nodes[convIndex]
            guard conv.opType == "Conv", conv.domain.isEmpty, let weightID = conv.inputs[1],
                let weight = graph[weightID].constant, weight.dtype == .float32
            else { continue }
            let biasID = conv.inputs.count > 2 ? conv.inputs[2] : nil
            let bias = biasID.flatMap { graph[$0].constant }
            guard biasID == nil || bias != nil else { continue }
            let parameters = node.inputs.dropFirst().compactMap { $0.flatMap { graph[$0].constant } }
            guard parameters.count == 4,
                parameters.allSatisfy({ $0.dtype == .float32 && $0.shape.dims == [weight.shape.dims.first ?? -1] })
            else { continue }
            var epsilon: Float = 1e-5
            if case .float(let value)? = node.attributes["epsilon"] { epsilon = value }
            let affine = try Affine(parameters, bias, epsilon)
            // Of a variance that makes no finite scale (0 and epsilon 0), a weight of 0 would become NaN.
            guard affine.scales.allSatisfy(\.isFinite), affine.shifts.allSatisfy(\.isFinite) else { continue }
            var fused = conv
            let name = graph[weightID].name.string
            fused.inputs = [
                conv.inputs[0],
                patch.addConstant(Name(name + "·batchnorm"), scaled(weight, affine.scales)),
                patch.addConstant(
                    Name(name + "·bias"), Constant(try Tensor(affine.shifts, dims: [affine.shifts.count]))),
            ]
            fused.outputs = [node.outputs[0]]
            fused.origins += node.origins
            patch.remove(convIndex)
            patch.replace(index, with: fused)
        }
        try patch.apply(to: &graph)
    }

    private static func isTraining(_ node: Node) -> Bool {
        if case .int(let mode)? = node.attributes["training_mode"] { mode != 0 } else { false }
    }

    /// Per channel factors and offsets of the normalisation behind a bias.
    private struct Affine {
        var scales: [Double] = []
        var shifts: [Float] = []

        init(_ parameters: [Constant], _ bias: Constant?, _ epsilon: Float) throws(SardonyxError) {
            var arrays: [[Float]] = []
            for parameter in parameters { arrays.append(try parameter.tensor().array()) }
            let biases: [Float] = try bias?.tensor().array() ?? []
            for channel in arrays[0].indices {
                let scale = Double(arrays[0][channel]) / (Double(arrays[3][channel]) + Double(epsilon)).squareRoot()
                let old = channel < biases.count ? Double(biases[channel]) : 0
                scales.append(scale)
                shifts.append(Float((old - Double(arrays[2][channel])) * scale + Double(arrays[1][channel])))
            }
        }
    }

    private static func scaled(_ weight: Constant, _ scales: [Double]) -> Constant {
        Constant(dtype: .float32, shape: weight.shape) { () throws(SardonyxError) in
            let tensor = try weight.tensor()
            return try Tensor(dtype: .float32, shape: weight.shape) { (memory) throws(SardonyxError) in
                let source = tensor.elements(of: Float.self)
                let target = memory.assumingMemoryBound(to: Float.self)
                let rowCount = source.count / max(scales.count, 1)
                for (row, scale) in scales.enumerated() {
                    for index in row * rowCount..<(row + 1) * rowCount {
                        target[index] = Float(Double(source[index]) * scale)
                    }
                }
            }
        }
    }
}
