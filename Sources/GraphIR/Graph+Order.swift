import TensorCore

extension Graph {
    /// Which value each name of this graph means to the subgraphs of its nodes.
    ///
    /// Empty when no node has a subgraph, so that graphs without control flow pay nothing.
    package func capturableNames() -> [Name: ValueID] {
        guard nodes.contains(where: \.hasSubgraphs) else { return [:] }
        var ids: [Name: ValueID] = [:]
        ids.reserveCapacity(values.count)
        for (index, value) in values.enumerated() { ids[value.name] = ValueID(index) }
        return ids
    }

    /// Whether every node comes after the producers of what it reads.
    package var isTopologicallySorted: Bool {
        let producers = producers()
        let capturable = capturableNames()
        for (index, node) in nodes.enumerated() {
            for id in node.dependencies(capturable) {
                if let producer = producers[id.index], producer >= index { return false }
            }
        }
        return true
    }

    /// Sorts the nodes so that each comes after the producers of what it reads; nodes that already do keep their
    /// order. Takes time proportional to the graph.
    /// - Throws: `graph` with the names on the cycle (at most 8) if there is one.
    package mutating func sortTopologically() throws(SardonyxError) {
        guard !isTopologicallySorted else { return }
        let producers = producers()
        let capturable = capturableNames()
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: nodes.count)
        var order: [Int] = []
        order.reserveCapacity(nodes.count)
        for root in nodes.indices where marks[root] == .new {
            var path: [(node: Int, pending: [Int])] = [(root, pendingProducers(root, producers, capturable))]
            marks[root] = .open
            while let (node, _) = path.last {
                guard let next = path[path.count - 1].pending.popLast() else {
                    marks[node] = .done
                    order.append(node)
                    path.removeLast()
                    continue
                }
                switch marks[next] {
                case .done: continue
                case .open: throw cycleError(path.map(\.node).drop { $0 != next })
                case .new:
                    marks[next] = .open
                    path.append((next, pendingProducers(next, producers, capturable)))
                }
            }
        }
        nodes = order.map { nodes[$0] }
    }

    /// The producers of what a node reads, last one first.
    private func pendingProducers(_ node: Int, _ producers: [Int?], _ capturable: [Name: ValueID]) -> [Int] {
        nodes[node].dependencies(capturable).compactMap { producers[$0.index] }.reversed()
    }

    private func cycleError(_ cycle: ArraySlice<Int>) -> SardonyxError {
        let shown = cycle.prefix(8).map { nodes[$0].label }
        let rest = cycle.count > shown.count ? "… (\(cycle.count - shown.count) more)" : shown.first ?? ""
        return SardonyxError(
            .graph, name.isEmpty ? "graph" : "graph '\(name)'", "cycle of \(cycle.count) nodes",
            got: "each reads the next: " + (shown + [rest]).joined(separator: " → "))
    }
}

extension Node {
    package var hasSubgraphs: Bool {
        attributes.values.contains {
            switch $0 {
            case .graph, .graphs: true
            default: false
            }
        }
    }

    /// Every value that the node reads, through its inputs and through the captures of its subgraphs.
    /// - Parameter capturable: `Graph.capturableNames()` of the graph that the node is in.
    package func dependencies(_ capturable: [Name: ValueID]) -> [ValueID] {
        var ids = inputs.compactMap { $0 }
        guard hasSubgraphs else { return ids }
        for subgraph in subgraphs {
            for capture in subgraph.captures {
                if let id = capturable[subgraph[capture].name] { ids.append(id) }
            }
        }
        return ids
    }
}
