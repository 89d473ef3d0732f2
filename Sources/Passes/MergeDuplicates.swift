import GraphIR
import TensorCore

/// Computes what is computed twice once: nodes of the same operator, inputs and attributes, and constants of the same
/// contents (exporters write a Constant wherever they need a number).
package enum MergeDuplicates: GraphPass {
    package static let name = "merge-duplicates"
    package static let summary = "compute equal nodes once and keep equal small constants once"

    /// Larger constants are not compared.
    private static let largestByteCount = 64 << 10

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        var canonical: [ValueID: ValueID] = [:]
        let outputs = Set(graph.outputs)
        try mergeConstants(graph, outputs, &canonical)
        var seen: [NodeKey: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            // The name of a graph output is kept, so that nothing would be gained.
            guard !node.outputs.contains(where: { $0.map(outputs.contains) ?? false }),
                let key = NodeKey(node, canonical)
            else { continue }
            guard let first = seen[key] else {
                seen[key] = index
                continue
            }
            for case let (kept?, double?) in zip(graph.nodes[first].outputs, node.outputs) { canonical[double] = kept }
            patch.remove(index)
        }
        for (double, kept) in canonical { patch.replaceUses(of: double, with: kept) }
        try patch.apply(to: &graph)
    }

    private struct Contents: Hashable {
        let dtype: DType
        let shape: Shape
        let bytes: [UInt8]
    }

    private static func mergeConstants(
        _ graph: Graph, _ outputs: Set<ValueID>, _ canonical: inout [ValueID: ValueID]
    ) throws(SardonyxError) {
        let producers = graph.producers()
        var seen: [Contents: ValueID] = [:]
        for index in graph.values.indices where producers[index] == nil && !outputs.contains(ValueID(index)) {
            guard let constant = graph.values[index].constant, constant.dtype != .string,
                constant.shape.elementCount <= largestByteCount / constant.dtype.byteSize
            else { continue }
            let bytes = try constant.tensor().withUnsafeBytes { Array($0) }
            let contents = Contents(dtype: constant.dtype, shape: constant.shape, bytes: bytes)
            if let first = seen[contents] {
                canonical[ValueID(index)] = first
            } else {
                seen[contents] = ValueID(index)
            }
        }
    }

    /// What makes two nodes compute the same.
    private struct NodeKey: Hashable {
        let domain: String
        let opType: String
        let inputs: [ValueID?]
        let hasOutput: [Bool]
        let attributes: [String: Plain]

        /// `nil` for nodes that may differ from themselves, or whose attributes are not compared.
        init?(_ node: Node, _ canonical: [ValueID: ValueID]) {
            guard node.domain == Domains.onnx, !node.drawsNumbers, !node.outputs.isEmpty else { return nil }
            var attributes: [String: Plain] = [:]
            for (key, attribute) in node.attributes {
                guard let plain = Plain(attribute) else { return nil }
                attributes[key] = plain
            }
            self.domain = node.domain
            self.opType = node.opType
            self.inputs = node.inputs.map { $0.map { canonical[$0] ?? $0 } }
            self.hasOutput = node.outputs.map { $0 != nil }
            self.attributes = attributes
        }
    }

    /// An attribute that is compared: numbers by their bits.
    private enum Plain: Hashable {
        case int(Int)
        case float(UInt32)
        case string([UInt8])
        case ints([Int])
        case floats([UInt32])
        case strings([[UInt8]])

        init?(_ attribute: Attribute) {
            switch attribute {
            case .int(let value): self = .int(value)
            case .float(let value): self = .float(value.bitPattern)
            case .string(let bytes): self = .string(bytes)
            case .ints(let values): self = .ints(values)
            case .floats(let values): self = .floats(values.map(\.bitPattern))
            case .strings(let values): self = .strings(values)
            default: return nil
            }
        }
    }
}
