extension Graph {
    /// Removes the nodes whose results nothing uses and forgets the constants that nothing reads, in subgraphs too.
    /// - Returns: how many nodes were removed.
    @discardableResult
    package mutating func removeDeadCode() -> Int {
        var removed = 0
        for index in nodes.indices where nodes[index].hasSubgraphs {
            nodes[index].mapSubgraphs { removed += $0.removeDeadCode() }
        }
        let capturable = capturableNames()
        var live = [Bool](repeating: false, count: values.count)
        for output in outputs { live[output.index] = true }
        var kept: [Node] = []
        for node in nodes.reversed() {
            guard node.outputs.contains(where: { $0.map { live[$0.index] } ?? false }) else {
                removed += 1
                continue
            }
            for id in node.dependencies(capturable) { live[id.index] = true }
            kept.append(node)
        }
        nodes = kept.reversed()
        for index in values.indices where !live[index] { values[index].constant = nil }
        dropUnusedCaptures()
        return removed
    }

    /// Captures that nothing reads any more would keep a value of the enclosing graph alive.
    private mutating func dropUnusedCaptures() {
        guard !captures.isEmpty else { return }
        let used = usedValues()
        captures.removeAll { !used[$0.index] }
    }

    /// Removes the values that nothing makes, reads or returns, keeping the order of the others; identifiers change.
    package mutating func compactValues() {
        for index in nodes.indices where nodes[index].hasSubgraphs {
            nodes[index].mapSubgraphs { $0.compactValues() }
        }
        dropUnusedCaptures()
        var kept = usedValues()
        for id in inputs { kept[id.index] = true }
        for node in nodes { for case let output? in node.outputs { kept[output.index] = true } }
        var renumbered = [ValueID](repeating: ValueID(0), count: values.count)
        var compacted: [Value] = []
        for index in values.indices where kept[index] {
            renumbered[index] = ValueID(compacted.count)
            compacted.append(values[index])
        }
        values = compacted
        inputs = inputs.map { renumbered[$0.index] }
        outputs = outputs.map { renumbered[$0.index] }
        captures = captures.map { renumbered[$0.index] }
        for index in nodes.indices {
            nodes[index].inputs = nodes[index].inputs.map { $0.map { renumbered[$0.index] } }
            nodes[index].outputs = nodes[index].outputs.map { $0.map { renumbered[$0.index] } }
        }
    }

    /// Which values are read by a node or returned.
    private func usedValues() -> [Bool] {
        let capturable = capturableNames()
        var used = [Bool](repeating: false, count: values.count)
        for node in nodes { for id in node.dependencies(capturable) { used[id.index] = true } }
        for output in outputs { used[output.index] = true }
        return used
    }
}
