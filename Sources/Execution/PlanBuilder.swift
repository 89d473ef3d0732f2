import GraphIR
import Operators
import TensorCore

/// Makes a `Plan` from a specialised graph.
struct PlanBuilder {
    let graph: Graph
    let opsets: [String: Int]
    let options: ExecutionOptions
    var weights: WeightCache { evaluator.weights }
    private let evaluator: Evaluator
    let infos: [TensorInfo?]
    var storage: StorageMap
    var constants: [Tensor] = []

    /// A static node on its way to becoming a step.
    struct Draft {
        let node: Node
        var op: any Operator
        let inputs: [TensorInfo?]
        let outputs: [TensorInfo?]
        let relation: MemoryRelation
        var scratchRoot: Int?
        var isElided = false
    }

    private let interruption: (any Interruption)?

    /// - Parameters:
    ///   - evaluator: runs what no plan holds, and subgraphs.
    ///   - interruption: asked before every node.
    init(
        graph: Graph, opsets: [String: Int], options: ExecutionOptions, evaluator: Evaluator,
        interruption: (any Interruption)?
    ) throws(SardonyxError) {
        self.interruption = interruption
        self.graph = graph
        self.opsets = opsets
        self.options = options
        self.evaluator = evaluator
        self.storage = StorageMap(valueCount: graph.values.count)
        var infos: [TensorInfo?] = []
        for value in graph.values {
            guard case .tensor(let dtype, let symbolic?)? = value.type, dtype != .string,
                let shape = try symbolic.concrete()
            else {
                infos.append(nil)
                continue
            }
            infos.append(TensorInfo(dtype: dtype, shape: shape, layout: value.layout))
        }
        self.infos = infos
    }

    mutating func build() throws(SardonyxError) -> Plan {
        let (staticNodes, tailNodes) = partition()
        let results = resultValues(tailNodes)
        var drafts: [Draft] = []
        for node in staticNodes {
            try interruption?.check()
            drafts.append(try draft(node))
        }
        try addRoots(drafts)
        try joinConcatenations(&drafts)
        assignResults(results)
        recordLifetimes(drafts, results)
        try shareInPlace(drafts)
        storage.flatten()
        let arena = try layOutArena(&drafts)
        let steps = try drafts.filter { !$0.isElided }.map { (draft) throws(SardonyxError) in try step(draft, arena) }
        let plan = Plan(
            graph: graph, steps: steps, results: planResults(results, arena), outputs: try planOutputs(results),
            constants: constants, arenaByteCount: arena.layout.byteCount, buffers: buffers(drafts, arena),
            tail: tailNodes.isEmpty
                ? nil
                : try DynamicTail(
                    nodes: tailNodes, graph: graph, opsets: opsets, evaluator: evaluator, interruption: interruption))
        try options.budget.check(plan.peakByteCount, for: "plan")
        return plan
    }

    // MARK: Static and dynamic parts

    /// Splits the nodes into those whose every value a plan can hold and the others, in order.
    private func partition() -> (static: [Node], tail: [Node]) {
        let isDynamic = graph.dynamicValues()
        var parts: (static: [Node], tail: [Node]) = ([], [])
        for node in graph.nodes {
            if (node.inputs + node.outputs).contains(where: { $0.map { isDynamic[$0.index] } ?? false }) {
                parts.tail.append(node)
            } else {
                parts.static.append(node)
            }
        }
        return parts
    }

    /// Values that leave the static part: graph outputs and what the tail reads.
    private func resultValues(_ tail: [Node]) -> [ValueID] {
        let producers = graph.producers()
        let madeInTail = Set(tail.flatMap { $0.outputs.compactMap { $0 } })
        var seen = Set<ValueID>()
        return (graph.outputs + tail.flatMap { $0.inputs.compactMap { $0 } }).filter {
            producers[$0.index] != nil && graph[$0].constant == nil && !madeInTail.contains($0)
                && seen.insert($0).inserted
        }
    }

    // MARK: Operators

    private func draft(_ node: Node) throws(SardonyxError) -> Draft {
        do {
            var op = try OperatorTable.makeOperator(for: node, opset: opsets[node.domain] ?? 1)
            let inputs = node.inputs.map { $0.flatMap { infos[$0.index] } }
            let outputs = node.outputs.map { $0.flatMap { infos[$0.index] } }
            for case let output? in outputs { try options.budget.check(try output.storedByteCount(), for: node.label) }
            try op.prepare(
                PrepareContext(
                    node: node, inputs: inputs, outputs: outputs,
                    constants: node.inputs.map { $0.flatMap { graph[$0].constant } }, threads: options.threads,
                    weights: weights, budget: options.budget, interruption: interruption,
                    subgraphs: evaluator.subgraphs))
            return Draft(
                node: node, op: op, inputs: inputs, outputs: outputs, relation: op.memoryRelation(inputs, outputs))
        } catch {
            throw (error.place.isEmpty ? error.placed(at: node.label) : error).adding(context: "planning")
        }
    }

    // MARK: The plan

    private func step(_ draft: Draft, _ arena: Arena) throws(SardonyxError) -> Plan.Step {
        func operand(_ value: ValueID?, _ info: TensorInfo?) -> Plan.Operand? {
            guard let value, let info, let place = storage.place(of: value) else { return nil }
            let (base, offset) = location(place, arena)
            return Plan.Operand(info: info, base: base, byteOffset: offset, value: value)
        }
        let prepared = draft.op.preparedInputs
        let inputs = draft.node.inputs.enumerated().map {
            prepared.contains($0.offset) ? nil : operand($0.element, draft.inputs[$0.offset])
        }
        let outputs = draft.node.outputs.enumerated().map { operand($0.element, draft.outputs[$0.offset]) }
        let cost = Plan.Cost(
            multiplyAccumulates: draft.op.multiplyAccumulates(draft.inputs, draft.outputs),
            executedMultiplyAccumulates: draft.op.executedMultiplyAccumulates(draft.inputs, draft.outputs),
            byteCount: try movedByteCount(draft, inputs, outputs))
        return Plan.Step(
            node: draft.node, op: draft.op, inputs: inputs, outputs: outputs,
            scratchOffset: draft.scratchRoot.map(arena.offset), cost: cost)
    }

    private func movedByteCount(
        _ draft: Draft, _ inputs: [Plan.Operand?], _ outputs: [Plan.Operand?]
    ) throws(SardonyxError) -> Int {
        var total = 0
        if draft.relation == .join, let output = outputs.first ?? nil {
            let end = output.byteOffset + (try output.info.storedByteCount())
            for case let input? in inputs {
                let isInPlace = input.base == output.base && (output.byteOffset..<end).contains(input.byteOffset)
                if !isInPlace { total += 2 * (try input.info.storedByteCount()) }
            }
        } else {
            for case let info? in draft.inputs + draft.outputs { total += try info.storedByteCount() }
        }
        return total
    }

    private func planResults(_ results: [ValueID], _ arena: Arena) -> [Plan.Result] {
        results.enumerated().compactMap { index, value in
            guard let info = infos[value.index], let place = storage.place(of: value) else { return nil }
            let location = location(place, arena)
            return Plan.Result(
                value: value, info: info, copiedFrom: location == (.result(index), 0) ? nil : location)
        }
    }

    private func planOutputs(_ results: [ValueID]) throws(SardonyxError) -> [Plan.Output] {
        try graph.outputs.map { (id) throws(SardonyxError) in
            if let constant = graph[id].constant { return .constant(try resident(constant)) }
            if let feed = graph.inputs.firstIndex(of: id) { return .feed(feed) }
            if let result = results.firstIndex(of: id) { return .result(result) }
            return .tail(id)
        }
    }
}
