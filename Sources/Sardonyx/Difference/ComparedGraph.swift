import GraphIR

/// A graph of a comparison, with what is a constant in it.
struct ComparedGraph {
    let graph: Graph
    let contents: [ValueID: Constant]
    /// Those that do more than to name a constant.
    let nodes: [Int]

    init(_ graph: Graph) {
        self.graph = graph
        contents = graph.constantContents
        let made = GraphReportBuilder.constantNodes(of: graph)
        nodes = graph.nodes.indices.filter { made[$0] == nil }
    }

    func describe(_ id: ValueID) -> String {
        contents[id].map { "constant '\(graph[id].name)' \($0.type)" } ?? "'\(graph[id].name)'"
    }
}

extension Graph {
    /// Constants by value: initializers, and what nodes make that only give a constant a name.
    var constantContents: [ValueID: Constant] {
        var contents: [ValueID: Constant] = [:]
        for (index, value) in values.enumerated() { contents[ValueID(index)] = value.constant }
        for (node, constant) in GraphReportBuilder.constantNodes(of: self) {
            for case let output? in nodes[node].outputs.prefix(1) where contents[output] == nil {
                contents[output] = constant
            }
        }
        return contents
    }
}
