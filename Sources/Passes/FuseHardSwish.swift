import GraphIR
import TensorCore

/// Recognises hard swish as exporters spell it out: x·HardSigmoid(x; 1/6, 1/2), and x·Clip(x + 3, 0, 6)/6 with the
/// division before or after the product (Howard et al., arXiv 1905.02244; ONNX HardSwish-14).
///
/// The operator rounds in another order: results differ by some units in the last place, and where the product by 6
/// would overflow.
package enum FuseHardSwish: GraphPass {
    package static let name = "fuse-hard-swish"
    package static let summary = "recognise HardSwish spelled out with HardSigmoid or Clip"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        try GatedActivation.fuse(on: &graph, as: "HardSwish", isGate: isHardSigmoid)
        try SpelledOperator.fuse(on: &graph, around: "Clip", as: "HardSwish", match: match)
    }

    private static func isHardSigmoid(_ gate: Node) -> Bool {
        guard gate.opType == "HardSigmoid", case .float(let alpha)? = gate.attributes["alpha"],
            abs(alpha - 1 / 6) < 1e-6
        else { return false }
        if case .float(let beta)? = gate.attributes["beta"], beta != 0.5 { return false }
        return true
    }

    private static func match(_ clip: Int, _ pattern: FusionPattern) throws(SardonyxError) -> SpelledOperator? {
        let nodes = pattern.graph.nodes
        guard try isFromZeroToSix(nodes[clip], pattern), let sum = pattern.soleProducer(of: nodes[clip].inputs[0]),
            nodes[sum].opType == "Add", let (x, offset, _) = try pattern.scalarOperand(nodes[sum]), offset == 3,
            pattern.isFloat32(x), let next = pattern.soleReader(of: nodes[clip].outputs[0]),
            let last = pattern.soleReader(of: nodes[next].outputs[0])
        else { return nil }
        let inner = [sum, clip, next]
        if multiplies(nodes[next], by: x), try dividesBySix(nodes[last], pattern) {
            return SpelledOperator(x: x, inner: inner, last: last)
        }
        if try dividesBySix(nodes[next], pattern), multiplies(nodes[last], by: x) {
            return SpelledOperator(x: x, inner: inner, last: last)
        }
        return nil
    }

    private static func isFromZeroToSix(_ clip: Node, _ pattern: FusionPattern) throws(SardonyxError) -> Bool {
        if case .float(let low)? = clip.attributes["min"], case .float(let high)? = clip.attributes["max"] {
            return low == 0 && high == 6 && clip.inputs.count == 1
        }
        guard clip.inputs.count == 3 else { return false }
        let (low, high) = (try pattern.scalar(clip.inputs[1]), try pattern.scalar(clip.inputs[2]))
        return low == 0 && high == 6
    }

    private static func multiplies(_ node: Node, by x: ValueID) -> Bool {
        node.opType == "Mul" && node.domain == Domains.onnx && node.inputs.count == 2 && node.inputs.contains(x)
    }

    private static func dividesBySix(_ node: Node, _ pattern: FusionPattern) throws(SardonyxError) -> Bool {
        guard let factor = try pattern.scalarFactor(node)?.factor else { return false }
        return abs(factor - 1 / 6) < 1e-7
    }
}
