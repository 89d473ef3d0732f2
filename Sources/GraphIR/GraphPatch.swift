import TensorCore

/// Edits to a graph, recorded first and applied together.
///
/// Node indices and value identifiers are those of the graph that the patch was made for, plus the values added
/// here. Applying takes time proportional to the graph, however many edits there are, and leaves the nodes in
/// topological order.
///
/// ```swift
/// var patch = GraphPatch(graph)
/// for (index, node) in graph.nodes.enumerated() where node.opType == "Identity" {
///     guard let input = node.inputs[0], let output = node.outputs[0] else { continue }
///     patch.replaceUses(of: output, with: input)
///     patch.remove(index)
/// }
/// try patch.apply(to: &graph)
/// ```
package struct GraphPatch: Sendable {
    /// The graph as it was.
    package let base: Graph
    private var added: [Value] = []
    private var changedValues: [ValueID: Value] = [:]
    private var replacements: [ValueID: ValueID] = [:]
    private var removed: Set<Int> = []
    private var changedNodes: [Int: Node] = [:]
    private var inserted: [Int: [Node]] = [:]
    private var takenNames: Set<Name> = []

    package init(_ graph: Graph) { self.base = graph }

    package var isEmpty: Bool {
        added.isEmpty && changedValues.isEmpty && replacements.isEmpty && removed.isEmpty && changedNodes.isEmpty
            && inserted.isEmpty
    }

    // MARK: Values

    /// Adds a value; its name is made unique.
    package mutating func addValue(_ value: Value) -> ValueID {
        if takenNames.isEmpty { takenNames = Set(base.values.map(\.name)) }
        var value = value
        value.name = value.name.unused(in: &takenNames)
        added.append(value)
        return ValueID(base.values.count + added.count - 1)
    }

    package mutating func addConstant(_ name: Name, _ constant: Constant) -> ValueID {
        addValue(Value(name: name, constant: constant))
    }

    /// A value as the patch leaves it.
    package subscript(id: ValueID) -> Value {
        id.index < base.values.count ? changedValues[id] ?? base[id] : added[id.index - base.values.count]
    }

    /// Changes what is known of a value (type, layout); its name stays.
    package mutating func changeValue(_ id: ValueID, _ change: (inout Value) -> Void) {
        var value = self[id]
        let name = value.name
        change(&value)
        value.name = name
        if id.index < base.values.count {
            changedValues[id] = value
        } else {
            added[id.index - base.values.count] = value
        }
    }

    /// Makes a value a constant; whatever node made it makes it no more, and goes if it makes nothing else.
    package mutating func setConstant(_ id: ValueID, _ constant: Constant) {
        changeValue(id) {
            $0.constant = constant
            $0.type = constant.type
        }
    }

    /// Lets every node that reads `old` read `new` instead.
    ///
    /// Nodes inserted by this patch, and the node that makes `new`, may go on reading `old` while something makes
    /// it. A graph output keeps its name: `new` takes it over, or, where `new` has a name to keep (it is an input,
    /// a capture or another output), an `Identity` stands between.
    package mutating func replaceUses(of old: ValueID, with new: ValueID) {
        if old != new { replacements[old] = new }
    }

    // MARK: Nodes

    package mutating func remove(_ index: Int) { removed.insert(index) }

    /// Whether the node is removed or replaced by this patch.
    package func touches(_ index: Int) -> Bool { removed.contains(index) }

    /// Puts a node in front of the node at `index`, behind others put there before; `base.nodes.count` is the end.
    package mutating func insert(_ node: Node, before index: Int) { inserted[index, default: []].append(node) }

    package mutating func replace(_ index: Int, with nodes: Node...) {
        remove(index)
        for node in nodes { insert(node, before: index) }
    }

    package mutating func change(_ index: Int, _ change: (inout Node) -> Void) {
        change(&changedNodes[index, default: base.nodes[index]])
    }

    // MARK: Applying

    /// - Throws: `internal` if the patch was made for another graph, replaces values in a circle, or leaves a cycle.
    package func apply(to graph: inout Graph) throws(SardonyxError) {
        guard graph.nodes.count == base.nodes.count, graph.values.count == base.values.count else {
            throw SardonyxError(.internal, "patch", "made for another graph")
        }
        guard !isEmpty else { return }
        let targets = try resolvedReplacements()
        for (id, value) in changedValues { graph[id] = value }
        graph.values += added

        var (nodes, isInserted) = assembledNodes()
        let made = madeValues(nodes, in: graph)
        let oldNames = graph.values.map(\.name)
        keepOutputNames(&graph, targets: targets, made: made, nodes: &nodes, isInserted: &isInserted)
        let capturable = Dictionary(
            oldNames.enumerated().map { ($1, ValueID($0)) }, uniquingKeysWith: { first, _ in first })
        for index in nodes.indices {
            let outputs = nodes[index].outputs
            // What this node shall read in place of `id`.
            func target(_ id: ValueID) -> ValueID {
                guard let new = targets[id] else { return id }
                let mayKeep = isInserted[index] || outputs.contains(new)
                return mayKeep && made[id.index] ? id : new
            }
            nodes[index].inputs = nodes[index].inputs.map { $0.map(target) }
            guard nodes[index].hasSubgraphs else { continue }
            var renamed: [Name: Name] = [:]
            for subgraph in nodes[index].subgraphs {
                for capture in subgraph.captures {
                    let name = subgraph[capture].name
                    guard let id = capturable[name] else { continue }
                    let newName = graph[target(id)].name
                    if newName != name { renamed[name] = newName }
                }
            }
            nodes[index].renameCaptures(renamed)
        }
        graph.nodes = nodes
        do {
            try graph.sortTopologically()
        } catch {
            throw SardonyxError(.internal, "patch", "leaves a cycle", got: error.message)
        }
    }

    /// Replacements with chains followed to their ends.
    private func resolvedReplacements() throws(SardonyxError) -> [ValueID: ValueID] {
        var resolved: [ValueID: ValueID] = [:]
        for start in replacements.keys where resolved[start] == nil {
            var path: [ValueID] = []
            var onPath: Set<ValueID> = []
            var current = start
            while let next = replacements[current], resolved[current] == nil {
                guard onPath.insert(current).inserted else {
                    throw SardonyxError(
                        .internal, "patch", "replaces values in a circle", got: "'\(self[current].name)'")
                }
                path.append(current)
                current = next
            }
            let end = resolved[current] ?? current
            for id in path { resolved[id] = end }
        }
        return resolved
    }

    /// The nodes after removals, changes and insertions, and which of them are new.
    private func assembledNodes() -> (nodes: [Node], isInserted: [Bool]) {
        var nodes: [Node] = []
        var isInserted: [Bool] = []
        let folded = Set(changedValues.lazy.filter { $1.constant != nil && base[$0].constant == nil }.map(\.key))
        for index in 0...base.nodes.count {
            for node in inserted[index] ?? [] {
                nodes.append(node)
                isInserted.append(true)
            }
            guard index < base.nodes.count, !removed.contains(index) else { continue }
            var node = changedNodes[index] ?? base.nodes[index]
            let hadOutputs = node.outputs.contains { $0 != nil }
            node.outputs = node.outputs.map { $0.flatMap { folded.contains($0) ? nil : $0 } }
            if hadOutputs, node.outputs.allSatisfy({ $0 == nil }) { continue }
            nodes.append(node)
            isInserted.append(false)
        }
        return (nodes, isInserted)
    }

    /// Which values something makes: a node, the caller, the enclosing graph or the model.
    private func madeValues(_ nodes: [Node], in graph: Graph) -> [Bool] {
        var made = graph.values.map { $0.constant != nil }
        for id in graph.inputs + graph.captures { made[id.index] = true }
        for node in nodes { for case let output? in node.outputs { made[output.index] = true } }
        return made
    }

    /// Carries replacements over to the graph's outputs without changing their names.
    private func keepOutputNames(
        _ graph: inout Graph, targets: [ValueID: ValueID], made: [Bool], nodes: inout [Node], isInserted: inout [Bool]
    ) {
        var keepsName = Set(graph.inputs + graph.captures + graph.outputs)
        for index in graph.outputs.indices {
            let old = graph.outputs[index]
            guard let new = targets[old], !graph.inputs.contains(old), !graph.captures.contains(old) else { continue }
            if !keepsName.contains(new) {
                let name = graph[old].name
                graph[old].name = graph[new].name
                graph[new].name = name
                if graph[new].type == nil { graph[new].type = graph[old].type }
                keepsName.insert(new)
                for other in graph.outputs.indices where graph.outputs[other] == old { graph.outputs[other] = new }
            } else if !made[old.index], !nodes.contains(where: { $0.outputs.contains(old) }) {
                nodes.append(Node(name: graph[old].name, opType: "Identity", inputs: [new], outputs: [old]))
                isInserted.append(true)
            }
        }
    }
}
