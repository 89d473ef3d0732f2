import GraphIR

/// Which nodes of two graphs belong together.
struct NodeMatching {
    /// The other graph's node by node; `nil` for those without one, and for nodes that only name constants.
    private(set) var partner: [Int?]
    private var isTaken: [Bool]

    init(_ before: ComparedGraph, _ after: ComparedGraph, _ digests: ConstantDigests) {
        let (a, b, left, right) = (before.graph, after.graph, before.nodes, after.nodes)
        partner = [Int?](repeating: nil, count: a.nodes.count)
        isTaken = [Bool](repeating: false, count: b.nodes.count)
        let (inA, inB) = (NodeTokens(before, digests), NodeTokens(after, digests))
        // From what says most to what says least; each within the gaps that the ones before have left.
        let kinds: [(NodeTokens, Int) -> Int] = [
            { $0.exact($1) }, { $0.structure($1) }, { $0.named($1) }, { $0.kind($1) },
        ]
        for token in kinds {
            for (gapA, gapB) in gaps(left, right) {
                for (i, j) in SequenceAlignment.pairs(gapA.map { token(inA, $0) }, gapB.map { token(inB, $0) }) {
                    match(gapA[i], gapB[j])
                }
            }
        }
        // Nodes that have moved keep their names.
        var byName: [Int: [Int]] = [:]
        for index in right where !isTaken[index] && !b.nodes[index].name.isEmpty {
            byName[inB.named(index), default: []].append(index)
        }
        for index in left where partner[index] == nil && !a.nodes[index].name.isEmpty {
            if let found = byName[inA.named(index)], found.count == 1, !isTaken[found[0]] { match(index, found[0]) }
        }
    }

    private mutating func match(_ i: Int, _ j: Int) {
        partner[i] = j
        isTaken[j] = true
    }

    func isMatched(other index: Int) -> Bool { isTaken[index] }

    /// Stretches of unmatched nodes between matched ones.
    private func gaps(_ left: [Int], _ right: [Int]) -> [([Int], [Int])] {
        var gaps: [([Int], [Int])] = []
        var gap: ([Int], [Int]) = ([], [])
        var rest = right[...]
        for index in left {
            guard let other = partner[index] else {
                gap.0.append(index)
                continue
            }
            while let next = rest.first, next != other {
                gap.1.append(next)
                rest.removeFirst()
            }
            rest = rest.dropFirst()
            gaps.append(gap)
            gap = ([], [])
        }
        gap.1 += rest
        gaps.append(gap)
        return gaps.filter { !$0.0.isEmpty && !$0.1.isEmpty }
    }
}

/// What nodes look like, as numbers that are equal where they look alike.
private struct NodeTokens {
    private let graph: Graph
    private let digests: ConstantDigests
    private let contents: [ValueID: Constant]

    init(_ compared: ComparedGraph, _ digests: ConstantDigests) {
        self.graph = compared.graph
        self.digests = digests
        contents = compared.contents
    }

    /// Operator, attributes and the contents of constants.
    func exact(_ index: Int) -> Int { token(index) { digests[$0] } }

    /// Operator, attributes and the types of constants.
    func structure(_ index: Int) -> Int { token(index) { $0.type.hashValue } }

    func named(_ index: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(kind(index))
        hasher.combine(graph.nodes[index].name)
        return hasher.finalize()
    }

    func kind(_ index: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(graph.nodes[index].domain)
        hasher.combine(graph.nodes[index].opType)
        return hasher.finalize()
    }

    private func token(_ index: Int, _ constant: (Constant) -> Int) -> Int {
        let node = graph.nodes[index]
        var hasher = Hasher()
        hasher.combine(kind(index))
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            hasher.combine(name)
            digests.combine(attribute, into: &hasher)
        }
        for input in node.inputs {
            hasher.combine(input == nil)
            if let input, let content = contents[input] { hasher.combine(constant(content)) }
        }
        return hasher.finalize()
    }
}
