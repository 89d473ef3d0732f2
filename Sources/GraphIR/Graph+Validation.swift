import TensorCore

extension Graph {
    /// Checks every invariant of the representation, in subgraphs too. Takes time proportional to the graph.
    /// - Throws: `internal`, naming the node or value: a graph that was imported or made by a pass is never wrong.
    package func validate() throws(SardonyxError) {
        try validate(enclosing: nil)
    }

    private func validate(enclosing: Set<Name>?) throws(SardonyxError) {
        var check = GraphCheck(graph: self)
        try check.roots(enclosing)
        try check.names()
        let visible = nodes.contains(where: \.hasSubgraphs) ? Set(values.map(\.name)) : []
        for (index, node) in nodes.enumerated() {
            try check.node(node, at: index)
            for subgraph in node.subgraphs { try subgraph.validate(enclosing: visible) }
        }
        for (index, output) in outputs.enumerated() {
            try check.reads(output, by: "graph output \(index)")
        }
    }
}

/// One pass over one graph.
private struct GraphCheck {
    let graph: Graph
    let capturable: [Name: ValueID]
    /// Values that exist at this point of the schedule.
    var defined: [Bool]
    /// Values whose contents are known beforehand: the model's, and what inference has evaluated.
    let constant: [Bool]

    init(graph: Graph) {
        self.graph = graph
        self.capturable = graph.capturableNames()
        self.defined = [Bool](repeating: false, count: graph.values.count)
        self.constant = graph.values.map { $0.constant != nil }
    }

    func fault(_ what: String, _ got: String) -> SardonyxError {
        SardonyxError(.internal, graph.name.isEmpty ? "graph" : "graph '\(graph.name)'", what, got: got)
    }

    /// Inputs and captures exist from the start, each in one role.
    mutating func roots(_ enclosing: Set<Name>?) throws(SardonyxError) {
        for id in graph.inputs + graph.captures { try define(id, by: "an input or capture") }
        for id in graph.captures where enclosing?.contains(graph[id].name) != true {
            throw fault("capture is not a value of the enclosing graph", "'\(graph[id].name)'")
        }
    }

    /// Names are what subgraphs and callers find values by.
    func names() throws(SardonyxError) {
        let captured = Set(graph.captures)
        var seen = Set<Name>(minimumCapacity: graph.values.count)
        for (index, value) in graph.values.enumerated() where !captured.contains(ValueID(index)) {
            if value.name.isEmpty { throw fault("value without a name", "value \(index)") }
            if !seen.insert(value.name).inserted { throw fault("two values of one name", "'\(value.name)'") }
        }
    }

    mutating func node(_ node: Node, at index: Int) throws(SardonyxError) {
        let place = "node \(index) \(node.label)"
        for id in node.dependencies(capturable) { try reads(id, by: place) }
        for case let output? in node.outputs { try define(output, by: place) }
    }

    func reads(_ id: ValueID, by reader: String) throws(SardonyxError) {
        guard graph.values.indices.contains(id.index) else {
            throw fault("\(reader) reads a value that is not there", "\(id.index)")
        }
        guard defined[id.index] || constant[id.index] else {
            throw fault("\(reader) reads a value before it is made", "'\(graph[id].name)'")
        }
    }

    private mutating func define(_ id: ValueID, by maker: String) throws(SardonyxError) {
        guard graph.values.indices.contains(id.index) else {
            throw fault("\(maker) makes a value that is not there", "\(id.index)")
        }
        guard !defined[id.index] else {
            throw fault("\(maker) makes a value that something else makes", "'\(graph[id].name)'")
        }
        defined[id.index] = true
    }
}
