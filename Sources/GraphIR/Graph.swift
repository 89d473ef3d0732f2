import TensorCore

/// One value of a graph: an input, an initializer, or the output of a node.
package struct Value: Sendable {
    package var name: Name
    /// What is declared or inferred; `nil` when nothing is known.
    package var type: ValueType?
    /// Set for initializers and folded values.
    package var constant: Constant?
    package var layout: Layout = .plain

    package init(name: Name, type: ValueType? = nil, constant: Constant? = nil) {
        self.name = name
        self.type = type ?? constant?.type
        self.constant = constant
    }
}

/// A graph in static single assignment form, with its nodes in topological order.
///
/// Values of an enclosing graph that a subgraph uses are its `captures`: values of the subgraph whose names are
/// resolved in the enclosing graph. A value type: a copy can be specialised without touching the original;
/// constants are shared. Passes edit it through `GraphPatch` only.
package struct Graph: Sendable {
    package var name: Name
    package var values: [Value]
    /// Every node after the producers of its inputs.
    package var nodes: [Node]
    /// Inputs that a caller feeds; initializers that are also listed as inputs (IR < 4) are constants only.
    package var inputs: [ValueID]
    package var outputs: [ValueID]
    /// Values taken from enclosing graphs by name (subgraphs only).
    package var captures: [ValueID]
    package var documentation: String

    package init(name: Name = "") {
        self.name = name
        self.values = []
        self.nodes = []
        self.inputs = []
        self.outputs = []
        self.captures = []
        self.documentation = ""
    }

    package subscript(id: ValueID) -> Value {
        get { values[id.index] }
        set { values[id.index] = newValue }
    }

    package mutating func addValue(_ value: Value) -> ValueID {
        values.append(value)
        return ValueID(values.count - 1)
    }

    /// The node index that makes each value; values without a producer map to `nil`.
    package func producers() -> [Int?] {
        var producers = [Int?](repeating: nil, count: values.count)
        for (index, node) in nodes.enumerated() {
            for case let output? in node.outputs { producers[output.index] = index }
        }
        return producers
    }

    /// The node indices that read each value, once per reading input.
    package func consumers() -> [[Int]] {
        let capturable = capturableNames()
        var consumers = [[Int]](repeating: [], count: values.count)
        for (index, node) in nodes.enumerated() {
            for id in node.dependencies(capturable) { consumers[id.index].append(index) }
        }
        return consumers
    }
}

extension Attribute {
    /// The graphs that it holds.
    package var graphs: [Graph] {
        switch self {
        case .graph(let graph): [graph]
        case .graphs(let graphs): graphs
        default: []
        }
    }
}

extension Node {
    /// Graphs among the attributes.
    package var subgraphs: [Graph] { attributes.values.flatMap(\.graphs) }

    /// Values of `graph`, the graph this node is in, that its subgraphs use by name.
    package func capturedValues(in graph: Graph) -> [ValueID] {
        let subgraphs = subgraphs
        guard !subgraphs.isEmpty else { return [] }
        let names = Set(subgraphs.flatMap { sub in sub.captures.map { sub[$0].name } })
        return graph.values.indices.lazy.filter { names.contains(graph.values[$0].name) }.map { ValueID($0) }
    }
}

/// A model-local function (`FunctionProto`): a body with named inputs, outputs and attributes.
package struct Function: Sendable {
    package var domain: String
    package var name: String
    package var overload: String
    package var body: Graph
    package var attributeNames: [String]
    package var attributeDefaults: [String: Attribute]
    package var opsets: [String: Int]

    package init(
        domain: String, name: String, overload: String, body: Graph, attributeNames: [String],
        attributeDefaults: [String: Attribute], opsets: [String: Int]
    ) {
        self.domain = domain
        self.name = name
        self.overload = overload
        self.body = body
        self.attributeNames = attributeNames
        self.attributeDefaults = attributeDefaults
        self.opsets = opsets
    }
}

/// A whole model file, independent of its encoding.
package struct ModelGraph: Sendable {
    package var graph: Graph
    package var irVersion: Int
    /// Operator set version by normalized domain.
    package var opsets: [String: Int]
    package var functions: [Function]
    package var metadata: [(key: String, value: String)]
    package var producer: String
    package var producerVersion: String
    /// Namespace of the model, and its version there.
    package var domain: String
    package var version: Int
    package var documentation: String

    package init(graph: Graph, irVersion: Int, opsets: [String: Int]) {
        self.graph = graph
        self.irVersion = irVersion
        self.opsets = opsets
        self.functions = []
        self.metadata = []
        self.producer = ""
        self.producerVersion = ""
        self.domain = ""
        self.version = 0
        self.documentation = ""
    }
}
