import COnnx
import GraphIR
import TensorCore

/// Makes one `Graph` of a GraphProto or FunctionProto: first every name that is defined, then the nodes that use them.
///
/// Graphs nest at most `ModelGraph.maximumSubgraphDepth` deep, so recursion into subgraphs is bounded.
final class GraphImporter {
    let tensors: TensorImporter
    let isInFunction: Bool
    private let parent: GraphImporter?
    private var graph: Graph
    private var ids: [Name: ValueID] = [:]
    /// Who makes a value, for messages.
    private var makers: [Name: String] = [:]

    private init(_ name: Name, _ tensors: TensorImporter, parent: GraphImporter?, isInFunction: Bool) {
        self.graph = Graph(name: name)
        self.tensors = tensors
        self.parent = parent
        self.isInFunction = isInFunction
    }

    private var place: String { graph.name.isEmpty ? "graph" : "graph '\(graph.name)'" }

    // MARK: Graphs

    /// - Parameter parent: the importer of the enclosing graph, whose values may be used by name.
    /// - Throws: `graph` for names that are defined twice or not at all and for cycles; what tensors throw.
    static func graph(
        _ proto: Onnx__GraphProto, tensors: TensorImporter, parent: GraphImporter? = nil
    ) throws(SardonyxError) -> Graph {
        let importer = GraphImporter(
            name(proto.name), tensors, parent: parent, isInFunction: parent?.isInFunction ?? false)
        try importer.importGraph(proto)
        return importer.graph
    }

    private func importGraph(_ proto: Onnx__GraphProto) throws(SardonyxError) {
        graph.documentation = text(proto.doc_string)
        try addInitializers(proto)
        for (index, input) in messages(proto.input, proto.n_input).enumerated() {
            let name = name(input.pointee.name)
            // Initializers that are inputs too are constants.
            guard ids[name].map({ graph[$0].constant == nil }) ?? true else { continue }
            graph.inputs.append(
                try define(Value(name: name, type: try ValueType(input.pointee.type)), by: "input \(index)"))
        }
        let nodes = messages(proto.node, proto.n_node)
        try addOutputs(of: nodes)
        for info in messages(proto.value_info, proto.n_value_info) { try declare(info.pointee) }
        try addNodes(nodes)
        for (index, output) in messages(proto.output, proto.n_output).enumerated() {
            graph.outputs.append(try resolve(name(output.pointee.name), neededBy: "\(place): output \(index)"))
            try declare(output.pointee)
        }
        try graph.sortTopologically()
    }

    private func addInitializers(_ proto: Onnx__GraphProto) throws(SardonyxError) {
        for (index, tensor) in messages(proto.initializer, proto.n_initializer).enumerated() {
            let name = name(tensor.pointee.name)
            let constant = try tensors.constant(tensor.pointee, place: "initializer '\(name)'")
            try define(Value(name: name, constant: constant), by: "initializer \(index)")
        }
        for (index, tensor) in messages(proto.sparse_initializer, proto.n_sparse_initializer).enumerated() {
            let name = name(tensor.pointee.values?.pointee.name)
            let place = "sparse initializer '\(name)'"
            let constant = try tensors.dense(try tensors.sparse(tensor.pointee, place: place), place: place)
            try define(Value(name: name, constant: constant), by: "sparse initializer \(index)")
        }
    }

    /// The declared type of a value; declarations of unknown values are ignored.
    private func declare(_ info: Onnx__ValueInfoProto) throws(SardonyxError) {
        guard let id = ids[name(info.name)], graph[id].constant == nil else { return }
        do throws(SardonyxError) {
            if let type = try ValueType(info.type) { graph[id].type = type }
        } catch {
            throw error.placed(at: "value '\(graph[id].name)'")
        }
    }

    // MARK: Functions

    /// The body of a FunctionProto and the defaults of its attributes.
    /// - Throws: as `graph`.
    static func body(
        _ proto: Onnx__FunctionProto, tensors: TensorImporter
    ) throws(SardonyxError) -> (body: Graph, defaults: [String: Attribute]) {
        let importer = GraphImporter(name(proto.name), tensors, parent: nil, isInFunction: true)
        for (index, input) in names(proto.input, proto.n_input).enumerated() {
            importer.graph.inputs.append(try importer.define(Value(name: input), by: "input \(index)"))
        }
        let nodes = messages(proto.node, proto.n_node)
        try importer.addOutputs(of: nodes)
        try importer.addNodes(nodes)
        for (index, output) in names(proto.output, proto.n_output).enumerated() {
            importer.graph.outputs.append(try importer.resolve(output, neededBy: "\(importer.place): output \(index)"))
        }
        try importer.graph.sortTopologically()
        let defaults = messages(proto.attribute_proto, proto.n_attribute_proto)
        return (importer.graph, try importer.attributes(defaults, place: importer.place))
    }

    // MARK: Nodes

    private func addOutputs(of nodes: [UnsafeMutablePointer<Onnx__NodeProto>]) throws(SardonyxError) {
        for (index, node) in nodes.enumerated() {
            for output in names(node.pointee.output, node.pointee.n_output) where !output.isEmpty {
                try define(Value(name: output), by: node.pointee.label(index))
            }
        }
    }

    private func addNodes(_ nodes: [UnsafeMutablePointer<Onnx__NodeProto>]) throws(SardonyxError) {
        graph.nodes.reserveCapacity(nodes.count)
        for (index, node) in nodes.enumerated() { graph.nodes.append(try self.node(node.pointee, at: index)) }
    }

    private func node(_ proto: Onnx__NodeProto, at index: Int) throws(SardonyxError) -> Node {
        let label = proto.label(index)
        var inputs: [ValueID?] = []
        for (position, input) in names(proto.input, proto.n_input).enumerated() {
            inputs.append(input.isEmpty ? nil : try resolve(input, neededBy: "\(label): input \(position)"))
        }
        let outputs = names(proto.output, proto.n_output).map { ids[$0] }
        var node = Node(
            name: name(proto.name), domain: Domains.normalized(text(proto.domain)), opType: text(proto.op_type),
            inputs: inputs,
            outputs: outputs)
        node.overload = text(proto.overload)
        node.modules = stringEntries(proto.metadata_props, proto.n_metadata_props)
            .first { $0.key == ModuleScope.key }.map { ModuleScope.modules(in: $0.value) }
        guard node.domain != Domains.internal else {
            throw SardonyxError(.unsupported, label, "domain is reserved", got: "'\(node.domain)'")
        }
        node.attributes = try attributes(messages(proto.attribute, proto.n_attribute), place: label)
        return node
    }

    // MARK: Names

    @discardableResult
    private func define(_ value: Value, by maker: String) throws(SardonyxError) -> ValueID {
        guard !value.name.isEmpty else { throw SardonyxError(.graph, place, "\(maker) has no name") }
        if let other = makers.updateValue(maker, forKey: value.name) {
            throw SardonyxError(
                .graph, place, "value '\(value.name)' is defined twice", got: "by \(other) and by \(maker)")
        }
        let id = graph.addValue(value)
        ids[value.name] = id
        return id
    }

    /// The value of a name here or in an enclosing graph, of which it is then a capture.
    private func resolve(_ name: Name, neededBy reader: String) throws(SardonyxError) -> ValueID {
        if let id = lookUp(name) { return id }
        var candidates: [Name] = []
        var scope: GraphImporter? = self
        while let current = scope {
            candidates += current.graph.values.map(\.name)
            scope = current.parent
        }
        let closest = ClosestName.of(name, among: candidates)
        throw SardonyxError(
            .graph, reader, "value '\(name)' is not defined", hint: closest.map { "The closest name is '\($0)'." })
    }

    private func lookUp(_ name: Name) -> ValueID? {
        if let id = ids[name] { return id }
        guard let parent, let outer = parent.lookUp(name) else { return nil }
        let id = graph.addValue(Value(name: name, type: parent.graph[outer].type))
        ids[name] = id
        graph.captures.append(id)
        return id
    }
}

extension Onnx__NodeProto {
    /// For messages: `node 3 Conv 'layer1.conv'`.
    fileprivate func label(_ index: Int) -> String {
        "node \(index) "
            + Node(
                name: OnnxImport.name(name), domain: Domains.normalized(text(domain)),
                opType: Name(text(op_type)).description, inputs: [], outputs: []
            )
            .label
    }
}
