extension Node {
    /// Makes the node's subgraphs take other values of the enclosing graph: every capture of a key's name becomes
    /// one of the mapped name.
    package mutating func renameCaptures(_ names: [Name: Name]) {
        guard !names.isEmpty, hasSubgraphs else { return }
        mapSubgraphs { $0.renameCaptures(names) }
    }

    /// Replaces each graph among the attributes.
    package mutating func mapSubgraphs<Failure: Error>(
        _ transform: (inout Graph) throws(Failure) -> Void
    ) throws(Failure) {
        for (key, attribute) in attributes {
            switch attribute {
            case .graph(var graph):
                try transform(&graph)
                attributes[key] = .graph(graph)
            case .graphs(var graphs):
                for index in graphs.indices { try transform(&graphs[index]) }
                attributes[key] = .graphs(graphs)
            default: break
            }
        }
    }
}

extension Graph {
    /// Renames captures, and steps aside with own names that a new one would collide with.
    mutating func renameCaptures(_ names: [Name: Name]) {
        var inner: [Name: Name] = [:]
        for capture in captures {
            guard let renamed = names[self[capture].name] else { continue }
            inner[self[capture].name] = renamed
            self[capture].name = renamed
        }
        guard !inner.isEmpty else { return }
        var taken = Set(values.map(\.name))
        let incoming = Set(inner.values)
        let captured = Set(captures)
        for index in values.indices where incoming.contains(values[index].name) && !captured.contains(ValueID(index)) {
            let old = values[index].name
            values[index].name = old.unused(in: &taken)
            inner[old] = values[index].name
        }
        for index in nodes.indices { nodes[index].renameCaptures(inner) }
    }
}

extension Name {
    /// This name, or this name with the first free number behind it; it is then taken.
    package func unused(in taken: inout Set<Name>) -> Name {
        var candidate = self
        var number = 1
        while !taken.insert(candidate).inserted {
            candidate = Name(bytes: bytes + Array("#\(number)".utf8))
            number += 1
        }
        return candidate
    }
}
