import GraphIR
import Operators
import TensorCore

/// Recognises scaled dot-product attention, Softmax(s·Q·Kᵀ)·V along the last axis (Vaswani et al., arXiv 1706.03762,
/// section 3.2.1), and computes it block by block. The Transposes, Reshapes and selections that cut queries, keys and
/// values out of one projection, and the Transpose behind, become strides.
package enum FuseAttention: GraphPass {
    package static let name = "fuse-attention"
    package static let summary = "compute scaled dot-product attention as one operator"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == "Softmax" && node.domain == Domains.onnx {
            guard let match = try Match(softmax: index, pattern, opset: context.opsets[Domains.onnx] ?? 1),
                let attributes = try match.attributes(),
                // What an earlier fusion has swallowed is no source any more.
                ![match.q, match.k, match.v].contains(where: {
                    pattern.producer(of: $0.source).map(patch.touches) ?? false
                })
            else { continue }
            patch.fuse(
                match.inner, into: match.last, as: "Attention",
                inputs: [match.q.source, match.k.source, match.v.source], attributes: attributes)
        }
        try patch.apply(to: &graph)
    }

    private struct Match {
        /// `[batch…, M, D]`, `[batch…, D, L]`, `[batch…, L, E]`.
        let q, k, v: StridedView
        let scale: Float
        /// Nodes that only lead to the last one.
        var inner: [Int]
        var last: Int
        /// How the result's axes are ordered in the last node's output.
        var permutation: [Int]

        init?(softmax: Int, _ pattern: FusionPattern, opset: Int) throws(SardonyxError) {
            let nodes = pattern.graph.nodes
            guard let shape = pattern.dims(of: nodes[softmax].inputs[0]), (2...4).contains(shape.count),
                Self.isAlongLastAxis(nodes[softmax], rank: shape.count, opset: opset),
                let pv = pattern.soleReader(of: nodes[softmax].outputs[0]), Self.isProduct(nodes[pv], pattern),
                nodes[pv].inputs[0] == nodes[softmax].outputs[0]
            else { return nil }
            var scale: Float = 1
            var inner = [softmax]
            var scores = nodes[softmax].inputs[0]
            while let index = pattern.soleProducer(of: scores), let scaling = try pattern.scalarFactor(nodes[index]) {
                scale *= scaling.factor
                scores = scaling.value
                inner.append(index)
            }
            guard let qk = pattern.soleProducer(of: scores), Self.isProduct(nodes[qk], pattern),
                let qValue = nodes[qk].inputs[0], let kValue = nodes[qk].inputs[1], let vValue = nodes[pv].inputs[1],
                var (q, qFactor) = try StridedView.tracing(qValue, scales: true, pattern),
                var (k, kFactor) = try StridedView.tracing(kValue, scales: true, pattern),
                var (v, _) = try StridedView.tracing(vValue, scales: false, pattern)
            else { return nil }
            // The kernel reads whole rows of q and v, and k along one of its axes.
            if q.strides.last != 1 { (q, qFactor) = (try StridedView(qValue, dims: q.dims), 1) }
            if !k.strides.suffix(2).contains(1) { (k, kFactor) = (try StridedView(kValue, dims: k.dims), 1) }
            if v.strides.last != 1 { v = try StridedView(vValue, dims: v.dims) }
            guard q.dims.count == shape.count, k.dims.count == shape.count, v.dims.count == shape.count,
                q.dims.dropLast(2) == k.dims.dropLast(2), q.dims.dropLast(2) == v.dims.dropLast(2),
                !(q.dims + k.dims + v.dims).contains(0)
            else { return nil }
            (self.q, self.k, self.v) = (q, k, v)
            self.scale = scale * qFactor * kFactor
            self.inner = inner + [qk]
            last = pv
            permutation = Array(shape.indices)
            if let reader = pattern.soleReader(of: nodes[pv].outputs[0]), nodes[reader].opType == "Transpose",
                nodes[reader].domain == Domains.onnx, case .ints(let order)? = nodes[reader].attributes["perm"],
                order.last == shape.count - 1
            {
                self.inner.append(pv)
                last = reader
                permutation = order
            }
        }

        private static func isProduct(_ node: Node, _ pattern: FusionPattern) -> Bool {
            node.opType == "MatMul" && node.domain == Domains.onnx && node.inputs.count == 2
                && pattern.isFloat32(node.outputs[0])
        }

        private static func isAlongLastAxis(_ node: Node, rank: Int, opset: Int) -> Bool {
            guard case .int(let axis)? = node.attributes["axis"] else { return opset >= 13 || rank == 2 }
            return axis == -1 || axis == rank - 1
        }

        /// The attributes of `sardonyx.Attention`.
        func attributes() throws(SardonyxError) -> [String: Attribute]? {
            let rank = q.dims.count
            let (m, d, l, e) = (q.dims[rank - 2], q.dims[rank - 1], v.dims[rank - 2], v.dims[rank - 1])
            guard k.dims[rank - 2] == d, k.dims[rank - 1] == l else { return nil }
            let result = Array(q.dims.dropLast(2)) + [m, e]
            let stored = permutation.map { result[$0] }
            var y = try StridedView(q.source, dims: stored)
            y.transpose(result.indices.map { axis in permutation.firstIndex(of: axis) ?? axis })
            var keys = k
            keys.transpose(Array(0..<rank - 2) + [rank - 1, rank - 2])
            let missing = 4 - rank
            func view(_ view: StridedView) -> Attribute {
                .ints([view.offset] + [Int](repeating: 0, count: missing) + view.strides)
            }
            return [
                "extents": .ints([Int](repeating: 1, count: missing) + q.dims.dropLast() + [l, d, e]),
                "scale": .float(scale), "shape": .ints(stored),
                "q_view": view(q), "k_view": view(keys), "v_view": view(v), "y_view": view(y),
            ]
        }
    }
}
