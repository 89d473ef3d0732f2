import GraphIR

/// Why the reference has values that the run does not show.
struct UnmatchedValues {
    private let run: ComparedRun
    /// The model as its file has it.
    private let source: Graph
    private let names: [Name: Name]
    /// Labels of steps by what they make and by the nodes that they compute.
    private var makers: [Name: String] = [:]
    private var kernels: [Name: String] = [:]
    private let folded: Set<Name>
    /// By value of the source: whether it follows from constants alone.
    private let isConstant: [Bool]

    init(_ run: ComparedRun, _ source: Graph, _ names: [Name: Name]) {
        self.run = run
        self.source = source
        self.names = names
        for node in run.steps.nodes {
            for case let output? in node.outputs { makers[run.graph[output].name] = node.label }
            for origin in node.origins where !origin.isEmpty { kernels[origin] = node.label }
        }
        isConstant = Self.constants(source)
        folded = Set(run.graph.values.lazy.filter { $0.constant != nil }.map(\.name))
    }

    /// - Parameter wanted: names in the reference.
    func list(_ wanted: [Name], _ rows: [Comparison.Row]) -> [Comparison.Unmatched] {
        let matched = Set(rows.map { Name($0.referenceName ?? $0.value) })
        let own = Dictionary(names.map { ($0.value, $0.key) }) { first, _ in first }
        var ids: [Name: ValueID] = [:]
        for (index, value) in source.values.enumerated() { ids[value.name] = ValueID(index) }
        let producers = source.producers()
        let consumers = source.consumers()
        var unmatched: [Comparison.Unmatched] = []
        for name in wanted where !matched.contains(name) {
            let mine = own[name] ?? name
            guard let id = ids[mine] else {
                unmatched.append(Comparison.Unmatched(value: name.string, reason: .absent, kernel: nil))
                continue
            }
            // Inputs are the same on both sides; weights are no results.
            guard let producer = producers[id.index] else { continue }
            let (reason, kernel) = fate(of: id, producer, consumers)
            unmatched.append(Comparison.Unmatched(value: name.string, reason: reason, kernel: kernel))
        }
        return unmatched
    }

    private static func constants(_ graph: Graph) -> [Bool] {
        var isConstant = graph.values.map { $0.constant != nil }
        for node in graph.nodes where node.opType == "Constant" || !node.inputs.isEmpty {
            let isFixed = !node.hasSubgraphs && node.inputs.allSatisfy { $0.map { isConstant[$0.index] } ?? true }
            for case let output? in node.outputs { isConstant[output.index] = isFixed }
        }
        return isConstant
    }

    /// What became of a value: followed to the nearest values behind it that the run has.
    private func fate(
        of id: ValueID, _ producer: Int, _ consumers: [[Int]]
    ) -> (Comparison.Unmatched.Reason, String?) {
        if folded.contains(source[id].name) || isConstant[id.index] { return (.folded, nil) }
        if let kernel = kernels[source.nodes[producer].name] { return (.fused, kernel) }
        var seen: Set<Int> = []
        var pending = consumers[id.index]
        var isFolded = false
        // What is fused is near: a few steps settle it, whatever the size of the graph.
        while let index = pending.first, seen.count < 64 {
            pending.removeFirst()
            guard seen.insert(index).inserted else { continue }
            for case let output? in source.nodes[index].outputs {
                if let maker = makers[source[output].name] { return (.fused, maker) }
                if folded.contains(source[output].name) { isFolded = true } else { pending += consumers[output.index] }
            }
        }
        return (isFolded ? .folded : .unused, nil)
    }
}
