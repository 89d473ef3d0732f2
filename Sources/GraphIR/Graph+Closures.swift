import TensorCore

extension Graph {
    /// Turns what subgraphs capture by name into inputs, at every depth.
    ///
    /// A node with subgraphs gains the values that any of them captures as its last inputs, `Node.captureCount` of
    /// them, and each of its subgraphs takes all of these as its last inputs. After that, subgraphs are functions of
    /// their inputs, and a node reads nothing but its inputs.
    package mutating func closeSubgraphs() {
        let capturable = capturableNames()
        for index in nodes.indices where nodes[index].hasSubgraphs {
            nodes[index].mapSubgraphs { $0.closeSubgraphs() }
            var names: [Name] = []
            var seen: Set<Name> = []
            for subgraph in nodes[index].subgraphsByName {
                for capture in subgraph.captures where seen.insert(subgraph[capture].name).inserted {
                    names.append(subgraph[capture].name)
                }
            }
            let captured = names.compactMap { name in capturable[name].map { (name, $0) } }
            nodes[index].inputs += captured.map { $0.1 }
            nodes[index].captureCount = captured.count
            let types = captured.map { (name: $0.0, type: self[$0.1].type) }
            nodes[index].mapSubgraphs { $0.takeAsInputs(types) }
        }
    }

    /// Undoes `closeSubgraphs`: what a node hands to its subgraphs only is captured by name again.
    package mutating func reopenSubgraphs() {
        for index in nodes.indices where nodes[index].hasSubgraphs {
            let count = nodes[index].captureCount
            let names = nodes[index].inputs.suffix(count).map { $0.map { self[$0].name } ?? "" }
            nodes[index].inputs.removeLast(count)
            nodes[index].captureCount = 0
            nodes[index].mapSubgraphs {
                $0.captureLastInputs(names)
                $0.reopenSubgraphs()
            }
        }
    }

    private mutating func captureLastInputs(_ names: [Name]) {
        let ids = inputs.suffix(names.count)
        inputs.removeLast(names.count)
        var first: [Name: ValueID] = [:]
        var same: [ValueID: ValueID] = [:]
        for (id, name) in zip(ids, names) {
            if let known = first[name] {
                same[id] = known
            } else {
                first[name] = id
                captures.append(id)
            }
        }
        if !same.isEmpty {
            outputs = outputs.map { same[$0] ?? $0 }
            for index in nodes.indices {
                nodes[index].inputs = nodes[index].inputs.map { $0.map { same[$0] ?? $0 } }
            }
        }
        renameCaptures(Dictionary(zip(ids.map { self[$0].name }, names)) { first, _ in first })
    }

    private mutating func takeAsInputs(_ outer: [(name: Name, type: ValueType?)]) {
        let captured = Dictionary(captures.map { (self[$0].name, $0) }) { first, _ in first }
        var taken = Set(values.map(\.name))
        for (name, type) in outer {
            if let id = captured[name] {
                inputs.append(id)
            } else {
                // Another subgraph of the node reads it; here nothing does.
                inputs.append(addValue(Value(name: name.unused(in: &taken), type: type)))
            }
        }
        captures = []
    }

    /// Fixes an input: the graph takes it no longer.
    fileprivate mutating func bind(input position: Int, to constant: Constant) {
        let id = inputs.remove(at: position)
        self[id].constant = constant
        self[id].type = constant.type
    }
}

extension Node {
    /// Graphs among the attributes, in the order of the attributes' names.
    fileprivate var subgraphsByName: [Graph] {
        attributes.sorted { $0.key < $1.key }.flatMap(\.value.graphs)
    }

    /// Moves captured values that are constants of the enclosing graph into the subgraphs.
    /// - Returns: whether there was one.
    package mutating func bindCapturedConstants(of graph: Graph) -> Bool {
        var isChanged = false
        for position in inputs.indices.suffix(captureCount).reversed() {
            guard let id = inputs[position], let constant = graph[id].constant else { continue }
            let fromEnd = inputs.count - position
            mapSubgraphs { $0.bind(input: $0.inputs.count - fromEnd, to: constant) }
            inputs.remove(at: position)
            captureCount -= 1
            isChanged = true
        }
        return isChanged
    }
}
