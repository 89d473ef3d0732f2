import GraphIR

extension Graph {
    /// The most nodes that one node is shared out among; more say nothing.
    private static let mostHeirs = 16

    /// Hands the origins of nodes that a pass took away on to the nodes that do their work now, so that everything that
    /// runs can be traced back to the model's nodes and they to it.
    ///
    /// The heir of a node is the one that makes what it made; else, as inside a fusion, the one that took the place of a
    /// reader of its. Nodes whose results became constants, and those that were only bypassed, have none.
    /// - Parameter before: the nodes before the pass, in topological order; values have kept their identifiers.
    mutating func inheritOrigins(from before: [Node]) {
        var maker = [Int?](repeating: nil, count: values.count)
        for (index, node) in nodes.enumerated() { for case let output? in node.outputs { maker[output.index] = index } }
        /// By value: the nodes that do the work of its former readers.
        var heirsOfReaders: [ValueID: [Int]] = [:]
        for node in before.reversed() {
            var heirs: [Int] = []
            let outputs = node.outputs.compactMap { $0 }
            if let heir = outputs.lazy.compactMap({ maker[$0.index] }).first {
                if nodes[heir].takesPlace(of: node) { heirs = [heir] }
                add(node.origins, to: heir)
            } else if !outputs.contains(where: { self[$0].constant != nil }) {
                for output in outputs { heirs.merge(heirsOfReaders[output] ?? [], upTo: Self.mostHeirs) }
                for heir in heirs { add(node.origins, to: heir) }
            }
            guard !heirs.isEmpty else { continue }
            for case let input? in node.inputs where maker[input.index] == nil {
                heirsOfReaders[input, default: []].merge(heirs, upTo: Self.mostHeirs)
            }
        }
    }

    private mutating func add(_ origins: [Name], to index: Int) {
        guard nodes[index].origins != origins else { return }
        for origin in origins where !nodes[index].origins.contains(origin) { nodes[index].origins.append(origin) }
    }
}

extension Node {
    /// Whether it computes more, or otherwise, than the node that made its results before.
    fileprivate func takesPlace(of other: Node) -> Bool {
        opType != other.opType || domain != other.domain || attributes.count != other.attributes.count
            || inputs.count != other.inputs.count || name != other.name
    }
}

extension [Int] {
    fileprivate mutating func merge(_ others: [Int], upTo most: Int) {
        for other in others where count < most && !contains(other) { append(other) }
    }
}
