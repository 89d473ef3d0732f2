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
