import GraphIR
import TensorCore

/// Makes GraphProtos and NodeProtos. Values have names that no enclosing graph has (`Graph.stepAside`).
struct GraphWriter {
    let tensors: TensorWriter
    /// Within a function: the kinds of its attributes.
    var referenceKinds: [String: Int] = [:]

    /// GraphProto.
    /// - Throws: `internal` for what only passes make, and what tensors throw.
    func message(_ graph: Graph) throws(SardonyxError) -> WireMessage {
        typealias Field = Fields.Graph
        var message = WireMessage()
        for node in try nodes(graph) { message.message(Field.node, node) }
        message.bytes(Field.name, graph.name.isEmpty ? Array("graph".utf8) : graph.name.bytes)
        var made = [Bool](repeating: false, count: graph.values.count)
        for node in graph.nodes { for case let output? in node.outputs { made[output.index] = true } }
        var declared = Set(graph.inputs + graph.captures)
        for index in graph.values.indices where !made[index] && !declared.contains(ValueID(index)) {
            let value = graph.values[index]
            guard let constant = value.constant else { continue }
            message.message(
                Field.initializer, try tensors.message(constant, name: value.name, mayBeExternal: true))
        }
        message.text(Field.documentation, graph.documentation)
        for id in graph.inputs { message.message(Field.input, graph[id].message) }
        for id in graph.outputs { message.message(Field.output, graph[id].message) }
        declared.formUnion(graph.outputs)
        for (index, value) in graph.values.enumerated()
        where made[index] && value.type != nil && !declared.contains(ValueID(index)) {
            message.message(Field.valueInfo, value.message)
        }
        return message
    }

    /// The nodes of a graph as NodeProtos. Names of nodes are kept, but for the second of two equal ones.
    /// - Throws: as `message`.
    func nodes(_ graph: Graph) throws(SardonyxError) -> [WireMessage] {
        var taken: Set<Name> = []
        var messages: [WireMessage] = []
        for node in graph.nodes {
            let name = node.name.isEmpty ? node.name : node.name.unused(in: &taken)
            messages.append(try message(node, named: name, in: graph))
        }
        return messages
    }

    private func message(_ node: Node, named name: Name, in graph: Graph) throws(SardonyxError) -> WireMessage {
        guard node.domain != Domains.internal, node.captureCount == 0 else {
            throw SardonyxError(.internal, node.label, "an operator that only passes make cannot be written")
        }
        typealias Field = Fields.Node
        var message = WireMessage()
        for input in node.inputs { message.bytes(Field.input, input.map { graph[$0].name.bytes } ?? []) }
        for output in node.outputs { message.bytes(Field.output, output.map { graph[$0].name.bytes } ?? []) }
        if !name.isEmpty { message.bytes(Field.name, name.bytes) }
        message.bytes(Field.operatorType, Array(node.opType.utf8))
        for (key, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            message.message(Field.attribute, try self.message(attribute, named: key))
        }
        message.text(Field.domain, node.domain)
        message.text(Field.overload, node.overload)
        return message
    }
}
