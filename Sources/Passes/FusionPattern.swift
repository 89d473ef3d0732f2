import GraphIR
import TensorCore

/// What the fusions share: finding a node whose only reader is the one to fuse, and the internal form of both.
struct FusionPattern {
    let graph: Graph
    private let producers: [Int?]
    private let consumers: [[Int]]
    private let outputs: Set<ValueID>

    init(_ graph: Graph) {
        self.graph = graph
        self.producers = graph.producers()
        self.consumers = graph.consumers()
        self.outputs = Set(graph.outputs)
    }

    /// The index of the node that makes `value`, if `value` is read exactly once and is no graph output.
    func soleProducer(of value: ValueID?) -> Int? {
        guard let value, consumers[value.index].count == 1, !outputs.contains(value) else { return nil }
        return producers[value.index]
    }

    /// The index of the node that reads `value`, if it is read exactly once and is no graph output.
    func soleReader(of value: ValueID?) -> Int? {
        guard let value, consumers[value.index].count == 1, !outputs.contains(value) else { return nil }
        return consumers[value.index][0]
    }

    /// The indices of the nodes that read `value`, once per reading input.
    func readers(of value: ValueID) -> [Int] { consumers[value.index] }

    func producer(of value: ValueID?) -> Int? { value.flatMap { producers[$0.index] } }

    func readerCount(of value: ValueID) -> Int { consumers[value.index].count + (outputs.contains(value) ? 1 : 0) }

    /// Whether a node is a float32 convolution, original or already fused.
    func isConv(_ node: Node) -> Bool { Self.isConv(node, in: graph) }

    static func isConv(_ node: Node, in graph: Graph) -> Bool {
        guard node.opType == "Conv", node.domain == Domains.onnx || node.domain == Domains.internal,
            let output = node.outputs.first ?? nil
        else { return false }
        return graph[output].type?.dtype == .float32
    }

    /// Of the operators that have an internal form with more attributes.
    private static let standardAttributes: [String: Set<String>] = [
        "Conv": ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"],
        "Gemm": ["alpha", "beta", "transA", "transB"],
        "MatMul": [],
    ]

    /// A node of the standard as the internal operator of that name. An attribute that the standard does not know must
    /// not get a meaning inside.
    static func internalForm(of node: Node) -> Node {
        guard node.domain != Domains.internal else { return node }
        var form = node
        form.domain = Domains.internal
        form.attributes = node.attributes.filter { standardAttributes[node.opType]?.contains($0.key) ?? false }
        return form
    }

    /// A node as the internal operator of its name, with the output of `last`, the node it swallows.
    static func fused(_ node: Node, swallowing last: Node, attributes: [String: Attribute] = [:]) -> Node {
        var fused = internalForm(of: node)
        fused.outputs = [last.outputs[0]]
        fused.origins += last.origins
        fused.attributes.merge(attributes) { $1 }
        return fused
    }
}

/// Nodes that together compute one operator of `x`.
struct SpelledOperator {
    let x: ValueID
    /// Nodes that only lead to the last one.
    let inner: [Int]
    let last: Int

    /// Makes one internal operator of all that `match` finds around nodes of a type.
    static func fuse(
        on graph: inout Graph, around opType: String, as name: String,
        match: (Int, FusionPattern) throws(SardonyxError) -> SpelledOperator?
    ) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        let pattern = FusionPattern(graph)
        for (index, node) in graph.nodes.enumerated() where node.opType == opType && node.domain == Domains.onnx {
            guard let found = try match(index, pattern), !found.inner.contains(where: patch.touches),
                !patch.touches(found.last)
            else { continue }
            patch.fuse(found.inner, into: found.last, as: name, inputs: [found.x])
        }
        try patch.apply(to: &graph)
    }
}

extension GraphPatch {
    /// Replaces `last`, and the `inner` nodes that only lead to it, by one internal operator.
    mutating func fuse(
        _ inner: [Int], into last: Int, as opType: String, inputs: [ValueID], attributes: [String: Attribute] = [:]
    ) {
        let (nodes, end) = (base.nodes, base.nodes[last])
        for index in inner { remove(index) }
        replace(
            last,
            with: Node(
                name: end.name, domain: Domains.internal, opType: opType, inputs: inputs, outputs: end.outputs,
                attributes: attributes, origins: inner.flatMap { nodes[$0].origins } + end.origins))
    }
}

extension Node {
    /// The operands of a commutative operator in both orders; none unless there are two.
    var operandOrders: [(ValueID, ValueID)] {
        guard inputs.count == 2, let left = inputs[0], let right = inputs[1] else { return [] }
        return [(left, right), (right, left)]
    }

    /// Whether output 0 holds exactly the elements of input 0, each once, in any order.
    var movesElementsOnly: Bool {
        domain == Domains.onnx && inputs.first ?? nil != nil
            && ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"].contains(opType)
    }

    /// Whether an internal operator has an activation already.
    var hasFusedActivation: Bool { domain == Domains.internal && attributes["activation"] != nil }
    var isChannelsLast: Bool { domain == Domains.internal && attributes["channels_last"] != nil }
}
