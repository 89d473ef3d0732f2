import GraphIR
import TensorCore

/// Recognises GELU spelled out with Erf: x·(1 + Erf(x/√2))·½ with the factors in any order (Hendrycks and Gimpel,
/// arXiv 1606.08415; ONNX Gelu-20 with `approximate = none`).
package enum FuseGelu: GraphPass {
    package static let name = "fuse-gelu"
    package static let summary = "recognise GELU spelled out with Erf"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        try SpelledOperator.fuse(on: &graph, around: "Erf", as: "Gelu", match: match)
    }

    private static func match(_ erf: Int, _ pattern: FusionPattern) throws(SardonyxError) -> SpelledOperator? {
        let nodes = pattern.graph.nodes
        guard pattern.isFloat32(nodes[erf].inputs[0]), let scaled = pattern.soleProducer(of: nodes[erf].inputs[0]),
            let (x, factor) = try pattern.scalarFactor(nodes[scaled]), abs(factor - 0.70710678) < 1e-6,
            let sum = pattern.soleReader(of: nodes[erf].outputs[0]), try addsOne(nodes[sum], pattern),
            let first = pattern.soleReader(of: nodes[sum].outputs[0]), nodes[first].opType == "Mul",
            nodes[first].domain == Domains.onnx,
            let other = nodes[first].inputs.first(where: { $0 != nodes[sum].outputs[0] }) ?? nil
        else { return nil }
        let inner = [scaled, erf, sum]
        if let half = pattern.soleProducer(of: other), let scale = try pattern.scalarFactor(nodes[half]),
            scale.value == x, scale.factor == 0.5
        {
            return SpelledOperator(x: x, inner: inner + [half], last: first)
        }
        guard let second = pattern.soleReader(of: nodes[first].outputs[0]) else { return nil }
        if other == x {
            return try pattern.scalarFactor(nodes[second])?.factor == 0.5
                ? SpelledOperator(x: x, inner: inner + [first], last: second) : nil
        }
        guard try pattern.scalarFactor(nodes[first])?.factor == 0.5, nodes[second].opType == "Mul",
            nodes[second].domain == Domains.onnx, nodes[second].inputs.contains(x)
        else { return nil }
        return SpelledOperator(x: x, inner: inner + [first], last: second)
    }

    private static func addsOne(_ node: Node, _ pattern: FusionPattern) throws(SardonyxError) -> Bool {
        guard node.opType == "Add", node.domain == Domains.onnx, node.inputs.count == 2 else { return false }
        let (left, right) = (try pattern.scalar(node.inputs[0]), try pattern.scalar(node.inputs[1]))
        return left == 1 || right == 1
    }
}
