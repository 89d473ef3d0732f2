import GraphIR
import TensorCore

/// Walks over matched nodes of two graphs and their bodies and notes what differs.
struct GraphComparison {
    let digests: ConstantDigests
    private(set) var difference: ModelDifference
    /// Pairs of constants that have been compared.
    private var seen: Set<ConstantPair> = []

    private struct ConstantPair: Hashable {
        let before, after: ObjectIdentifier
    }

    init(digests: ConstantDigests, difference: ModelDifference) {
        self.digests = digests
        self.difference = difference
    }

    /// - Parameter path: labels of the nodes in whose bodies the graphs are; inputs and outputs of bodies are those of
    ///   their nodes, and not compared.
    mutating func compare(_ a: Graph, _ b: Graph, path: String) throws(SardonyxError) {
        let (inA, inB) = (ComparedGraph(a), ComparedGraph(b))
        let matching = NodeMatching(inA, inB, digests)
        if path.isEmpty { compareInterface(a, b) }
        var partners = Self.partners(of: a, b)
        for index in inA.nodes {
            guard let other = matching.partner[index] else {
                difference.removedNodes.append(path + a.nodes[index].label)
                continue
            }
            for case let (x?, y?) in zip(a.nodes[index].outputs, b.nodes[other].outputs) { partners[x] = y }
        }
        for index in inB.nodes where !matching.isMatched(other: index) {
            difference.addedNodes.append(path + b.nodes[index].label)
        }
        for index in inA.nodes {
            guard let other = matching.partner[index] else { continue }
            difference.commonNodeCount += 1
            let (before, after) = (a.nodes[index], b.nodes[other])
            var changes = attributeChanges(before, after)
            for position in 0..<max(before.inputs.count, after.inputs.count) {
                try compareInput(position, before, inA, after, inB, partners, &changes)
            }
            if before.outputs.count != after.outputs.count {
                changes.append(change("outputs", "\(before.outputs.count)", "\(after.outputs.count)"))
            }
            if !changes.isEmpty {
                difference.changedNodes.append(
                    ModelDifference.NodeChange(node: path + before.label, changes: changes))
            }
            for (name, attribute) in before.attributes.sorted(by: { $0.key < $1.key }) {
                for (x, y) in zip(attribute.graphs, after.attributes[name]?.graphs ?? []) {
                    try compare(x, y, path: path + before.label + " › ")
                }
            }
        }
    }

    mutating func compareFunctions(_ a: [Function], _ b: [Function]) throws(SardonyxError) {
        func label(_ function: Function) -> String { "function \(FunctionKey(function))" }
        let others = Dictionary(b.map { (label($0), $0) }) { first, _ in first }
        for function in a {
            if let other = others[label(function)] {
                try compare(function.body, other.body, path: label(function) + " › ")
            } else {
                difference.removedNodes.append(label(function))
            }
        }
        let known = Set(a.map(label))
        difference.addedNodes += b.map(label).filter { !known.contains($0) }
    }

    /// Inputs and captures belong together by name, inputs also by position where no name says otherwise.
    private static func partners(of a: Graph, _ b: Graph) -> [ValueID: ValueID] {
        var partners: [ValueID: ValueID] = [:]
        let names = Dictionary((b.inputs + b.captures).map { (b[$0].name, $0) }) { first, _ in first }
        for id in a.inputs + a.captures { partners[id] = names[a[id].name] }
        let taken = Set(partners.values)
        for (x, y) in zip(a.inputs, b.inputs) where partners[x] == nil && !taken.contains(y) { partners[x] = y }
        return partners
    }

    private mutating func compareInterface(_ a: Graph, _ b: Graph) {
        for (role, before, after) in [("input", a.inputs, b.inputs), ("output", a.outputs, b.outputs)] {
            let types = Dictionary(after.map { (b[$0].name, b[$0].type) }) { first, _ in first }
            for id in before {
                let type = a[id].type
                guard let other = types[a[id].name] else {
                    difference.interface.append(change("\(role) \(a[id].name)", type?.description ?? "?", nil))
                    continue
                }
                guard other != type else { continue }
                difference.interface.append(
                    change("\(role) \(a[id].name)", type?.description ?? "?", other?.description ?? "?"))
            }
            let names = Set(before.map { a[$0].name })
            for id in after where !names.contains(b[id].name) {
                difference.interface.append(change("\(role) \(b[id].name)", nil, b[id].type?.description ?? "?"))
            }
        }
    }

    private func attributeChanges(_ before: Node, _ after: Node) -> [ModelDifference.Change] {
        Set(before.attributes.keys).union(after.attributes.keys).sorted().compactMap { name in
            let (x, y) = (before.attributes[name], after.attributes[name])
            if let x, let y, digest(x) == digest(y) { return nil }
            return change(name, x?.summary, y?.summary)
        }
    }

    private func digest(_ attribute: Attribute) -> Int {
        var hasher = Hasher()
        digests.combine(attribute, into: &hasher)
        return hasher.finalize()
    }

    private mutating func compareInput(
        _ position: Int, _ before: Node, _ a: ComparedGraph, _ after: Node, _ b: ComparedGraph,
        _ partners: [ValueID: ValueID],
        _ changes: inout [ModelDifference.Change]
    ) throws(SardonyxError) {
        let x = before.inputs.indices.contains(position) ? before.inputs[position] : nil
        let y = after.inputs.indices.contains(position) ? after.inputs[position] : nil
        if let x, let y, let old = a.contents[x], let new = b.contents[y] {
            try compare(old, a.graph[x].name, new, b.graph[y].name)
            return
        }
        switch (x, y) {
        case (nil, nil): return
        case (let x?, let y?) where a.contents[x] == nil && b.contents[y] == nil && partners[x] == y: return
        // What makes it is another node, but it keeps its name: the node alone is the change.
        case (let x?, let y?)
        where a.contents[x] == nil && b.contents[y] == nil && partners[x] == nil && a.graph[x].name == b.graph[y].name:
            return
        default: changes.append(change("input \(position)", x.map(a.describe), y.map(b.describe)))
        }
    }

    private mutating func compare(
        _ before: Constant, _ nameBefore: Name, _ after: Constant, _ nameAfter: Name
    ) throws(SardonyxError) {
        guard seen.insert(ConstantPair(before: ObjectIdentifier(before), after: ObjectIdentifier(after))).inserted
        else { return }
        guard before.fault == nil, after.fault == nil else {
            difference.unreadableWeights.append(nameBefore.description)
            return
        }
        difference.commonWeightCount += 1
        guard !digests.areEqual(before, after) else { return }
        let spread = before.type == after.type ? try ElementDifference(try before.tensor(), try after.tensor()) : nil
        difference.changedWeights.append(
            ModelDifference.WeightChange(
                before: nameBefore.description, after: nameAfter.description, typeBefore: before.type.description,
                typeAfter: after.type.description, changedCount: spread?.changedCount,
                greatestDifference: spread?.greatest, relativeDifference: spread?.relative))
    }

    private func change(_ what: String, _ before: String?, _ after: String?) -> ModelDifference.Change {
        ModelDifference.Change(what: what, before: before, after: after)
    }
}

/// How far the elements of two tensors of one type are apart.
private struct ElementDifference {
    private(set) var changedCount = 0
    private(set) var greatest = 0.0
    private var squares = 0.0
    private var reference = 0.0

    /// `nil` for elements that are no real numbers.
    init?(_ before: Tensor, _ after: Tensor) throws(SardonyxError) {
        guard before.dtype.isFloatingPoint || before.dtype.isInteger || before.dtype == .bool else { return nil }
        try ElementPairs(before, after).forEach { _, a, b, isSame in add(a, b, isSame) }
    }

    private mutating func add(_ a: Double, _ b: Double, _ isSame: Bool) {
        if isSame || a.isNaN && b.isNaN {
            if a.isFinite { reference += a * a }
            return
        }
        changedCount += 1
        let distance = (a - b).magnitude
        greatest = max(greatest, distance.isNaN ? .infinity : distance)
        guard a.isFinite, b.isFinite else { return }
        squares += distance * distance
        reference += a * a
    }

    var relative: Double? { reference > 0 ? (squares / reference).squareRoot() : nil }
}
