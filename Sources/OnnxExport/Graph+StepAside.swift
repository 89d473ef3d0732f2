import GraphIR

extension Graph {
    /// Gives values of subgraphs other names where an enclosing graph has a value of that name: here they hide it, in a
    /// file no name may mean two things.
    mutating func stepAside() { stepAside(from: []) }

    private mutating func stepAside(from enclosing: Set<Name>) {
        guard !enclosing.isEmpty || nodes.contains(where: \.hasSubgraphs) else { return }
        let captured = Set(captures)
        var renamed: [Name: Name] = [:]
        var taken = enclosing.union(values.map(\.name))
        for index in values.indices where !captured.contains(ValueID(index)) {
            let old = values[index].name
            guard enclosing.contains(old) else { continue }
            values[index].name = old.unused(in: &taken)
            renamed[old] = values[index].name
        }
        let visible = enclosing.union(values.map(\.name))
        for index in nodes.indices where nodes[index].hasSubgraphs {
            nodes[index].renameCaptures(renamed)
            nodes[index].mapSubgraphs { $0.stepAside(from: visible) }
        }
    }
}
