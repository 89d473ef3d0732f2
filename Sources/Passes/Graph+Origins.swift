import GraphIR

extension Graph {
    /// The most nodes that one node is shared out among; more say nothing.
    private static let mostHeirs = 16

    /// Hands the origins of nodes that a pass took away on to the nodes that do their work now, so that everything that
    /// runs can be traced back to the model's nodes and they to it.
    ///
    /// The heir of a node is the one that makes what it made, or the node itself where it makes something else now; else
    /// the new or changed one that its readers read from now; else, as inside a fusion, the one that took the place of a
    /// reader. Nodes whose results became constants, those that were only bypassed, and those that the pass itself has
    /// shared out have none.
    /// - Parameter before: the nodes before the pass, in topological order; values have kept their identifiers.
    mutating func inheritOrigins(from before: [Node]) {
        var maker = [Int?](repeating: nil, count: values.count)
        for (index, node) in nodes.enumerated() { for case let output? in node.outputs { maker[output.index] = index } }
        var named: [Name: Int] = [:]
        for (index, node) in nodes.enumerated() where !node.name.isEmpty { named[node.name] = index }
        func successor(of node: Node) -> Int? {
            node.outputs.lazy.compactMap { $0.flatMap { maker[$0.index] } }.first
                ?? named[node.name].flatMap { nodes[$0].isSuccessor(of: node) ? $0 : nil }
        }
        let shared = sharedOrigins(since: before)
        var isChanged = [Bool](repeating: true, count: nodes.count)
        for node in before {
            if let heir = successor(of: node), isUnchanged(nodes[heir], since: node) { isChanged[heir] = false }
        }
        /// By value that nothing makes any more: the nodes that do the work of its former readers, or make what they
        /// read instead.
        var heirsOfReaders: [ValueID: [Int]] = [:]
        for node in before.reversed() {
            if let heir = successor(of: node) {
                let isSame = nodes[heir].isSuccessor(of: node)
                if isSame || !shared.isSuperset(of: node.origins) { add(node.origins, to: heir) }
                guard isSame else {
                    inherit([heir], from: node, maker, &heirsOfReaders)
                    continue
                }
                for case (let old?, let new?) in zip(node.inputs, nodes[heir].inputs) where old != new {
                    let source = maker[new.index].flatMap { isChanged[$0] ? $0 : nil }
                    guard let taker = source ?? (isChanged[heir] ? heir : nil) else { continue }
                    heirsOfReaders[old, default: []].merge([taker], upTo: Self.mostHeirs)
                }
            } else if !node.outputs.contains(where: { $0.map { self[$0].constant != nil } ?? false }) {
                var heirs: [Int] = []
                for case let output? in node.outputs { heirs.merge(heirsOfReaders[output] ?? [], upTo: Self.mostHeirs) }
                for heir in heirs { add(node.origins, to: heir) }
                inherit(heirs, from: node, maker, &heirsOfReaders)
            }
        }
    }

    /// Origins that nodes have and had not before the pass.
    private func sharedOrigins(since before: [Node]) -> Set<Name> {
        let known = Dictionary(before.map { ($0.name, $0.origins) }) { first, _ in first }
        return nodes.reduce(into: []) { shared, node in
            shared.formUnion(node.origins.filter { !(known[node.name] ?? []).contains($0) })
        }
    }

    /// What a node read and nothing makes any more goes where the node went.
    private func inherit(_ heirs: [Int], from node: Node, _ maker: [Int?], _ heirsOfReaders: inout [ValueID: [Int]]) {
        guard !heirs.isEmpty else { return }
        for case let input? in node.inputs where maker[input.index] == nil {
            heirsOfReaders[input, default: []].merge(heirs, upTo: Self.mostHeirs)
        }
    }

    /// Whether a node is as before, but for whom it reads from.
    private func isUnchanged(_ node: Node, since old: Node) -> Bool {
        node.isSuccessor(of: old) && node.domain == old.domain && node.attributes.count == old.attributes.count
            && node.outputs == old.outputs
            && node.inputs.count == old.inputs.count
            && zip(node.inputs, old.inputs).allSatisfy { new, old in
                new == old || new.map { self[$0].constant == nil } ?? false
            }
    }

    private mutating func add(_ origins: [Name], to index: Int) {
        guard nodes[index].origins != origins else { return }
        for origin in origins where !nodes[index].origins.contains(origin) { nodes[index].origins.append(origin) }
    }
}

extension Node {
    /// Whether it is the same node, perhaps changed, even into the internal form of its operator.
    fileprivate func isSuccessor(of other: Node) -> Bool {
        name == other.name && opType == other.opType
    }
}

extension [Int] {
    fileprivate mutating func merge(_ others: [Int], upTo most: Int) {
        for other in others where count < most && !contains(other) { append(other) }
    }
}
