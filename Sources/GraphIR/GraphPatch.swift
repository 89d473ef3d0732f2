import TensorCore

/// A set of edits to a graph, applied together: the only way passes change a graph.
///
/// Node indices are those of the graph before the patch. Edits keep the topological order as long as a replacement
/// stands at or after the producers of its inputs, which `apply` checks in debug builds.
package struct GraphPatch {
    private let valueCount: Int
    private var newValues: [Value] = []
    private var replacements: [Int: [Node]] = [:]
    private var insertions: [Int: [Node]] = [:]
    private var aliases: [ValueID: ValueID] = [:]

    package init(_ graph: Graph) { self.valueCount = graph.values.count }

    package var isEmpty: Bool { newValues.isEmpty && replacements.isEmpty && insertions.isEmpty && aliases.isEmpty }

    /// Whether the node has been removed or replaced by this patch.
    package func touches(_ node: Int) -> Bool { replacements[node] != nil }

    package mutating func addValue(_ value: Value) -> ValueID {
        newValues.append(value)
        return ValueID(valueCount + newValues.count - 1)
    }

    package mutating func addConstant(_ name: Name, _ constant: Constant) -> ValueID {
        addValue(Value(name: name, constant: constant))
    }

    package mutating func remove(_ node: Int) { replacements[node] = [] }

    package mutating func replace(_ node: Int, with nodes: Node...) { replacements[node] = nodes }

    package mutating func insert(_ node: Node, before index: Int) { insertions[index, default: []].append(node) }

    /// Lets every reader of `value`, and the graph's outputs, read `other` instead.
    package mutating func replaceUses(of value: ValueID, with other: ValueID) { aliases[value] = other }

    package func apply(to graph: inout Graph) {
        guard !isEmpty else { return }
        graph.values += newValues
        var nodes: [Node] = []
        nodes.reserveCapacity(graph.nodes.count + insertions.count)
        for (index, node) in graph.nodes.enumerated() {
            nodes += insertions[index] ?? []
            if let replacement = replacements[index] { nodes += replacement } else { nodes.append(node) }
        }
        nodes += insertions[graph.nodes.count] ?? []
        if !aliases.isEmpty {
            for index in nodes.indices {
                for (position, input) in nodes[index].inputs.enumerated() {
                    if let input, aliases[input] != nil { nodes[index].inputs[position] = resolve(input) }
                }
            }
            graph.outputs = graph.outputs.map(resolve)
        }
        graph.nodes = nodes
        assert(graph.firstDisorder == nil, "patch breaks the order at \(graph.firstDisorder ?? "")")
    }

    private func resolve(_ value: ValueID) -> ValueID {
        var value = value
        while let next = aliases[value] { value = next }
        return value
    }
}

extension Graph {
    /// The label of the first node that reads a value before it is made or makes one that exists; `nil` in good order.
    package var firstDisorder: String? {
        var isKnown = values.map { $0.constant != nil }
        for id in inputs + captures { isKnown[id.index] = true }
        for node in nodes {
            for case let input? in node.inputs where !isKnown[input.index] { return node.label }
            for case let output? in node.outputs {
                if isKnown[output.index] { return node.label }
                isKnown[output.index] = true
            }
        }
        return outputs.contains { !isKnown[$0.index] } ? "outputs" : nil
    }

    /// Removes nodes that no output depends on, and forgets constants that nobody reads.
    package mutating func removeDeadCode() {
        var isUsed = [Bool](repeating: false, count: values.count)
        for id in outputs { isUsed[id.index] = true }
        var kept: [Node] = []
        for node in nodes.reversed() {
            guard node.outputs.contains(where: { $0.map { isUsed[$0.index] } ?? false }) else { continue }
            for case let input? in node.inputs { isUsed[input.index] = true }
            for id in node.capturedValues(in: self) { isUsed[id.index] = true }
            kept.append(node)
        }
        nodes = kept.reversed()
        for index in values.indices where !isUsed[index] { values[index].constant = nil }
    }
}
