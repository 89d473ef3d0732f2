import TensorCore

extension ModelGraph {
    /// The part of the model between values.
    /// - Parameters:
    ///   - inputs: names of the values that become its inputs; empty for the inputs of the model that are needed.
    ///   - outputs: names of the values that become its outputs.
    /// - Returns: the part, without the model's metadata, which speaks of the whole; and the names of `inputs` that are
    ///   not needed and left out.
    /// - Throws: `usage` for an unknown name, with the nearest ones; for inputs that do not cut the graph, with the inputs
    ///   of the model that are still needed; for an output that nothing computes.
    package func extracted(
        from inputs: [Name], to outputs: [Name]
    ) throws(SardonyxError) -> (model: ModelGraph, unread: [Name]) {
        var starts: [ValueID] = []
        for name in inputs {
            let id = try value(name, option: "--from")
            if !starts.contains(id) { starts.append(id) }
        }
        var ends: [ValueID] = []
        let producers = graph.producers()
        for name in outputs {
            let id = try value(name, option: "--to")
            guard producers[id.index] != nil, !starts.contains(id) else {
                throw SardonyxError(
                    .usage, "--to", "nothing computes this value", got: "'\(name)', \(role(of: id, starts))",
                    allowed: "what a node makes")
            }
            if !ends.contains(id) { ends.append(id) }
        }
        var part = graph.extracted(from: starts, to: ends)
        if !part.missing.isEmpty, !inputs.isEmpty {
            throw SardonyxError(
                .usage, "--from", "does not cut the graph",
                got: inputs.map { "'\($0)'" }.joined(separator: ", "),
                allowed: "these and inputs of the model that are still needed: "
                    + part.missing.map { "'\(graph[$0].name)' \(graph[$0].type.map(\.description) ?? "")" }
                    .joined(separator: ", "))
        }
        let starting = part.missing + starts.filter { !part.unread.contains($0) }
        let unread = part.unread.map { graph[$0].name }
        if starting != starts { part = graph.extracted(from: starting, to: ends) }
        for id in part.graph.inputs + part.graph.outputs where part.graph[id].type == nil {
            throw SardonyxError(
                .graph, "value '\(part.graph[id].name)'", "its type is not known",
                hint:
                    "Inputs and outputs must have one; an operator before it is unknown here and the file does not say")
        }
        var model = self
        model.graph = part.graph
        model.metadata = []
        return (model, unread)
    }

    /// The part of the model that is one node.
    /// - Throws: `usage` for a name that no node or several nodes have; as `extracted(from:to:)`.
    package func extracted(node name: Name) throws(SardonyxError) -> ModelGraph {
        let found = graph.nodes.filter { $0.name == name }
        guard let node = found.first, found.count == 1 else {
            guard found.isEmpty else {
                throw SardonyxError(
                    .usage, "--node", "\(found.count) nodes have this name", got: "'\(name)'",
                    hint: "Name what it makes with --to, and what it reads with --from")
            }
            let nearest = ClosestName.of(name, among: graph.nodes.lazy.map(\.name))
            throw SardonyxError(
                .usage, "--node", "no node of this name", got: "'\(name)'",
                hint: nearest.map { "The closest name is '\($0)'." } ?? "sardonyx inspect --nodes lists them")
        }
        var read: [Name] = []
        for id in node.dependencies(graph.capturableNames()) where graph[id].constant == nil {
            if !read.contains(graph[id].name) { read.append(graph[id].name) }
        }
        return try extracted(from: read, to: node.outputs.compactMap { $0.map { graph[$0].name } }).model
    }

    private func value(_ name: Name, option: String) throws(SardonyxError) -> ValueID {
        if let id = graph.value(named: name) { return id }
        let isInside = graph.nodes.contains { $0.subgraphs.contains { $0.holds(name) } }
        let nearest = ClosestName.of(name, among: graph.values.lazy.map(\.name))
        throw SardonyxError(
            .usage, option, isInside ? "the value is inside a subgraph" : "no value of this name", got: "'\(name)'",
            allowed: isInside ? "values of the main graph" : nil,
            hint: nearest.map { "The closest name is '\($0)'." } ?? "sardonyx inspect --nodes lists them")
    }

    private func role(of id: ValueID, _ starts: [ValueID]) -> String {
        if starts.contains(id) { return "which is given as --from, too" }
        return graph[id].constant == nil ? "an input of the model" : "a constant"
    }
}

extension Graph {
    /// Whether this graph or one inside it has a value of its own of this name.
    fileprivate func holds(_ name: Name) -> Bool {
        if let id = value(named: name), !captures.contains(id) { return true }
        return nodes.contains { $0.subgraphs.contains { $0.holds(name) } }
    }
}
