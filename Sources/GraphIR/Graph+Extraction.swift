extension Graph {
    /// What lies between values of a graph.
    package struct Extraction: Sendable {
        package var graph: Graph
        /// Inputs of the whole graph that are needed, too: the given values do not cut it.
        package var missing: [ValueID]
        /// Given values that nothing of it reads.
        package var unread: [ValueID]
    }

    /// The nodes that compute `outputs` from `inputs`, with the constants that they read.
    ///
    /// Nodes with subgraphs are kept whole, and what these capture counts as read. Takes time proportional to the graph.
    /// - Parameters:
    ///   - inputs: become the inputs of the graph, in this order; constants among them lose their contents.
    ///   - outputs: its outputs; none of `inputs`.
    package func extracted(from inputs: [ValueID], to outputs: [ValueID]) -> Extraction {
        let (producers, capturable, cut) = (producers(), capturableNames(), Set(inputs))
        var isNeeded = [Bool](repeating: false, count: nodes.count)
        var seen: Set<ValueID> = []
        var pending = outputs
        while let id = pending.popLast() {
            guard seen.insert(id).inserted, !cut.contains(id), let producer = producers[id.index],
                !isNeeded[producer]
            else { continue }
            isNeeded[producer] = true
            pending += nodes[producer].dependencies(capturable)
        }
        var part = self
        part.nodes = nodes.indices.filter { isNeeded[$0] }.map { nodes[$0] }
        part.inputs = inputs
        part.outputs = outputs
        for id in inputs { part[id].constant = nil }
        part.makeNoMore(cut)
        part.removeDeadCode()
        part.compactValues()
        return Extraction(
            graph: part, missing: self.inputs.filter { seen.contains($0) && !cut.contains($0) },
            unread: inputs.filter { !seen.contains($0) })
    }

    /// Lets nodes that are there for another output make something else in place of these values.
    private mutating func makeNoMore(_ ids: Set<ValueID>) {
        var taken = Set(values.map(\.name))
        for index in nodes.indices {
            for position in nodes[index].outputs.indices {
                guard let output = nodes[index].outputs[position], ids.contains(output) else { continue }
                let name = self[output].name.unused(in: &taken)
                nodes[index].outputs[position] = addValue(Value(name: name, type: self[output].type))
            }
        }
    }

    /// The value of a name in this graph.
    package func value(named name: Name) -> ValueID? {
        values.firstIndex { $0.name == name }.map { ValueID($0) }
    }
}
