import GraphIR
import Operators
import TensorCore

/// Computes convolutions of one input with the same window (the box, class and coefficient heads of a detector) by
/// one node, which reads and transforms the input once. Weights stay apart: each is packed as for a node of its own.
package enum MergeSiblingConvs: GraphPass {
    package static let name = "merge-sibling-convs"
    package static let summary = "compute convolutions that share input and window together"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var groups: [Window: [Int]] = [:]
        for (index, node) in graph.nodes.enumerated() {
            if let window = window(node, graph) { groups[window, default: []].append(index) }
        }
        var patch = GraphPatch(graph)
        for siblings in groups.values where siblings.count > 1 {
            let members = siblings.prefix(SiblingConvs.mostMembers)
            for index in members { patch.remove(index) }
            let convs = members.map { FusionPattern.internalForm(of: graph.nodes[$0]) }
            patch.insert(SiblingConvs.node(of: convs), before: siblings[0])
        }
        try patch.apply(to: &graph)
    }

    /// What siblings have in common.
    private struct Window: Hashable {
        let input: ValueID
        let kernel: [Int]
        let lists: [String: [Int]]
        let autoPad: [UInt8]
    }

    /// The window of a float32 image convolution with constant weights and more than one tap; else `nil`. A
    /// convolution with a residual stays alone: it writes over it.
    private static func window(_ node: Node, _ graph: Graph) -> Window? {
        guard FusionPattern.isConv(node, in: graph), (2...3).contains(node.inputs.count), let input = node.inputs[0],
            let weight = node.inputs[1].flatMap({ graph[$0].constant }), weight.shape.rank == 4,
            weight.shape.dims[2...].contains(where: { $0 > 1 })
        else { return nil }
        if node.inputs.count > 2, let bias = node.inputs[2], graph[bias].constant == nil { return nil }
        if case .int(let groups)? = node.attributes["group"], groups != 1 { return nil }
        var lists: [String: [Int]] = [:]
        for name in ["strides", "pads", "dilations"] {
            if case .ints(let values)? = node.attributes[name] { lists[name] = values }
        }
        var autoPad: [UInt8] = []
        if case .string(let mode)? = node.attributes["auto_pad"] { autoPad = mode }
        return Window(input: input, kernel: Array(weight.shape.dims[2...]), lists: lists, autoPad: autoPad)
    }
}
