import GraphIR
import TensorCore

/// What the convolution fusions share: finding a convolution whose only reader is the node to fuse.
struct ConvPattern {
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

    private static let standardAttributes: Set<String> = [
        "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides",
    ]

    /// The convolution as the internal operator. An attribute that the standard does not know must not get a meaning
    /// inside.
    static func internalForm(of conv: Node) -> Node {
        guard conv.domain != Domains.internal else { return conv }
        var form = conv
        form.domain = Domains.internal
        if conv.opType == "Conv" {
            form.attributes = conv.attributes.filter { standardAttributes.contains($0.key) }
        }
        return form
    }

    /// The convolution as the internal operator, with the output of `last`, the node it swallows.
    static func fused(_ conv: Node, swallowing last: Node, attributes: [String: Attribute] = [:]) -> Node {
        var fused = internalForm(of: conv)
        fused.outputs = [last.outputs[0]]
        fused.origins += last.origins
        fused.attributes.merge(attributes) { $1 }
        return fused
    }
}

extension Node {
    /// Whether output 0 holds exactly the elements of input 0, each once, in any order.
    var movesElementsOnly: Bool {
        domain == Domains.onnx && inputs.first ?? nil != nil
            && ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"].contains(opType)
    }
    /// Whether the internal convolution has an activation already.
    var hasFusedActivation: Bool { attributes["activation"] != nil }
    var isChannelsLast: Bool { attributes["channels_last"] != nil }
}
