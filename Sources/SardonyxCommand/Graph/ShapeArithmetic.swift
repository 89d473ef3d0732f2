import Sardonyx

/// The nodes that only compute extents and places: what Shape says, taken apart and put together again for Reshape, Slice
/// and the like. Exporters write many of them; a run does without them, as they are folded for given input shapes.
struct ShapeArithmetic {
    /// By node: the number of those that hang together in one scope; `nil` for other nodes.
    let groupOfNode: [Int?]

    /// More elements are data.
    private static let mostElements = 16

    init(_ graph: GraphReport, _ scopes: GraphScopes) {
        var makers = [Int?](repeating: nil, count: graph.values.count)
        var group = [Int?](repeating: nil, count: graph.nodes.count)
        // Of each number: the one that it was joined with.
        var joined = Array(graph.nodes.indices)
        func root(_ number: Int) -> Int {
            var number = number
            while joined[number] != number {
                joined[number] = joined[joined[number]]
                number = joined[number]
            }
            return number
        }
        for (index, node) in graph.nodes.enumerated() {
            for case let output? in node.outputs { makers[output] = index }
            let sources = node.inputs.compactMap { $0 }.filter { !graph.values[$0].isConstant }
            guard node.domain.isEmpty, node.bodies.isEmpty, Self.areSmall(node.outputs, graph),
                node.operatorName == "Shape" || node.operatorName == "Size"
                    || sources.allSatisfy({ makers[$0].map { group[$0] != nil } ?? false })
            else { continue }
            group[index] = index
            for case let source? in sources.map({ makers[$0] }) where group[source] != nil {
                if scopes.scopes[source] == scopes.scopes[index] { joined[root(source)] = root(index) }
            }
        }
        groupOfNode = group.map { $0.map(root) }
    }

    /// Whether they are scalars or short vectors, as far as their types are known.
    private static func areSmall(_ outputs: [Int?], _ graph: GraphReport) -> Bool {
        outputs.allSatisfy { output in
            guard let output, let open = graph.values[output].type.firstIndex(of: "[") else { return true }
            let extents = graph.values[output].type[open...].dropFirst().dropLast()
            return !extents.contains(",") && Int(extents) ?? 0 <= mostElements
        }
    }
}
