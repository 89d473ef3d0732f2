import GraphIR
import Operators
import TensorCore

/// Makes a `Plan` from a specialised graph.
struct PlanBuilder {
    private let graph: Graph
    private let opsets: [String: Int]
    private let options: ExecutionOptions
    private let weights: WeightCache
    private let infos: [TensorInfo?]
    private var storage: StorageMap
    private var constants: [Tensor] = []

    /// A static node on its way to becoming a step.
    private struct Draft {
        let node: Node
        var op: any Operator
        let inputs: [TensorInfo?]
        let outputs: [TensorInfo?]
        let relation: MemoryRelation
        var scratchRoot: Int?
        var isElided = false
    }

    init(graph: Graph, opsets: [String: Int], options: ExecutionOptions, weights: WeightCache) throws(SardonyxError) {
        self.graph = graph
        self.opsets = opsets
        self.options = options
        self.weights = weights
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
        for node in staticNodes { drafts.append(try draft(node)) }
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
            constants: constants, arenaByteCount: arena.layout.byteCount,
            tail: tailNodes.isEmpty ? nil : DynamicTail(nodes: tailNodes, graph: graph, opsets: opsets))
        try options.budget.check(plan.peakByteCount, for: "plan")
        return plan
    }

    // MARK: Static and dynamic parts

    /// Splits the nodes into those whose every shape is known and those that depend on data, in order.
    private func partition() -> (static: [Node], tail: [Node]) {
        var isDynamic = graph.values.indices.map { infos[$0] == nil }
        var parts: (static: [Node], tail: [Node]) = ([], [])
        for node in graph.nodes {
            let touched = node.inputs + node.outputs
            if node.subgraphs.isEmpty, touched.allSatisfy({ $0 == nil || !isDynamic[$0?.index ?? 0] }) {
                parts.static.append(node)
            } else {
                parts.tail.append(node)
                for case let output? in node.outputs { isDynamic[output.index] = true }
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
            try op.prepare(
                PrepareContext(
                    node: node, inputs: inputs, outputs: outputs,
                    constants: node.inputs.map { $0.flatMap { graph[$0].constant } }, threads: options.threads,
                    weights: weights))
            return Draft(
                node: node, op: op, inputs: inputs, outputs: outputs, relation: op.memoryRelation(inputs, outputs))
        } catch {
            throw (error.place.isEmpty ? error.placed(at: node.label) : error).adding(context: "planning")
        }
    }

    // MARK: Storage

    private mutating func addRoots(_ drafts: [Draft]) throws(SardonyxError) {
        for (index, id) in graph.inputs.enumerated() {
            guard let info = infos[id.index] else { continue }
            _ = storage.addRoot(for: id, owner: .input(index), byteCount: try info.storedByteCount())
        }
        for draft in drafts {
            for (position, input) in draft.node.inputs.enumerated() {
                guard let input, let constant = graph[input].constant, storage.place(of: input) == nil,
                    !draft.op.preparedInputs.contains(position)
                else { continue }
                let tensor = try resident(constant)
                constants.append(tensor)
                _ = storage.addRoot(for: input, owner: .constant(constants.count - 1), byteCount: tensor.byteCount)
            }
            var splitOffset = 0
            for (position, output) in draft.node.outputs.enumerated() {
                guard let output, let info = draft.outputs[position] else { continue }
                let byteCount = try info.storedByteCount()
                let root = storage.addRoot(for: output, owner: .arena, byteCount: byteCount)
                switch draft.relation {
                case .view(let source) where position == 0: viewInput(draft, source, root, at: 0)
                case .split:
                    viewInput(draft, 0, root, at: splitOffset)
                    splitOffset += byteCount
                default: break
                }
            }
        }
    }

    private mutating func viewInput(_ draft: Draft, _ input: Int, _ root: Int, at offset: Int) {
        guard let source = draft.node.inputs[input], let place = storage.place(of: source) else { return }
        storage.merge(root, into: place.root, at: place.offset + offset)
    }

    /// The contents of a constant that stays as it is, shared between plans.
    private func resident(_ constant: Constant) throws(SardonyxError) -> Tensor {
        if constant.isResident { return try constant.tensor() }
        let buffer = try weights.packed(constant, "plain") { (tensor) throws(SardonyxError) in
            guard tensor.byteOffset != 0 else { return tensor.buffer }
            return try Tensor(dtype: tensor.dtype, shape: tensor.shape) { (memory) throws(SardonyxError) in
                memory.copyMemory(from: tensor.pointer, byteCount: tensor.byteCount)
            }.buffer
        }
        return Tensor(dtype: constant.dtype, shape: constant.shape, buffer: buffer)
    }

    /// Puts the inputs of Concat into its output where nothing else has a claim on them.
    private mutating func joinConcatenations(_ drafts: inout [Draft]) throws(SardonyxError) {
        for index in drafts.indices.reversed() where drafts[index].relation == .join {
            guard let output = drafts[index].node.outputs.first ?? nil, let target = storage.place(of: output) else {
                continue
            }
            var offset = 0
            var allPlaced = true
            for (position, input) in drafts[index].node.inputs.enumerated() {
                guard let input, let info = drafts[index].inputs[position] else { continue }
                let byteCount = try info.storedByteCount()
                if let root = storage.ownsArenaRoot(input, byteCount: byteCount), root != target.root {
                    storage.merge(root, into: target.root, at: target.offset + offset)
                } else {
                    allPlaced = false
                }
                offset += byteCount
            }
            drafts[index].isElided = allPlaced
        }
        for index in drafts.indices {
            switch drafts[index].relation {
            case .view, .split: drafts[index].isElided = true
            default: break
            }
            if drafts[index].outputs.allSatisfy({ $0 == nil || $0?.shape.elementCount == 0 }) {
                drafts[index].isElided = true
            }
        }
    }

    private mutating func assignResults(_ results: [ValueID]) {
        for (index, value) in results.enumerated() {
            guard let place = storage.place(of: value), let byteCount = try? infos[value.index]?.storedByteCount(),
                infos[value.index]?.layout == .plain, storage.ownsArenaRoot(value, byteCount: byteCount) != nil
            else { continue }
            storage.setOwner(place.root, .output(index))
        }
    }

    private mutating func recordLifetimes(_ drafts: [Draft], _ results: [ValueID]) {
        for (step, draft) in drafts.enumerated() {
            for case let value? in draft.node.inputs + draft.node.outputs {
                if let place = storage.place(of: value) { storage.touch(place.root, at: step) }
            }
        }
        for value in results {
            if let place = storage.place(of: value) { storage.touch(place.root, at: drafts.count) }
        }
    }

    /// Lets a node write over an input that nobody reads after it.
    private mutating func shareInPlace(_ drafts: [Draft]) throws(SardonyxError) {
        for (step, draft) in drafts.enumerated() where !draft.isElided && draft.relation == .separate {
            guard let output = draft.node.outputs.first ?? nil, let outputInfo = draft.outputs[0],
                let target = storage.place(of: output)
            else { continue }
            let byteCount = try outputInfo.storedByteCount()
            for (position, input) in draft.node.inputs.enumerated() {
                guard let input, draft.op.canOverwrite(input: position, draft.inputs, draft.outputs),
                    let root = storage.ownsArenaRoot(input, byteCount: byteCount), root != target.root,
                    storage.roots[root].lastStep == step
                else { continue }
                let others = draft.node.inputs.enumerated().filter { $0.offset != position }
                let isSafe = others.allSatisfy { other in
                    guard let value = other.element, storage.place(of: value)?.root == root else { return true }
                    return draft.op.canOverwrite(input: other.offset, draft.inputs, draft.outputs)
                }
                guard isSafe else { continue }
                storage.merge(root, into: target.root, at: target.offset)
                break
            }
        }
    }

    // MARK: Arena

    private struct Arena {
        let layout: ArenaLayout
        /// Box of each arena root.
        let boxes: [Int: Int]

        func offset(_ root: Int) -> Int { boxes[root].map { layout.offsets[$0] } ?? 0 }
    }

    private mutating func layOutArena(_ drafts: inout [Draft]) throws(SardonyxError) -> Arena {
        for step in drafts.indices where !drafts[step].isElided && drafts[step].op.scratchByteCount > 0 {
            let root = storage.addRoot(owner: .arena, byteCount: drafts[step].op.scratchByteCount)
            storage.touch(root, at: step)
            drafts[step].scratchRoot = root
        }
        var boxes: [ArenaLayout.Box] = []
        var boxOfRoot: [Int: Int] = [:]
        for (root, entry) in storage.roots.enumerated() {
            guard entry.owner == .arena, !storage.isMerged(root), entry.lastStep >= 0 else { continue }
            boxOfRoot[root] = boxes.count
            boxes.append(ArenaLayout.Box(byteCount: entry.byteCount, steps: entry.firstStep...entry.lastStep))
        }
        return Arena(layout: try ArenaLayout(boxes), boxes: boxOfRoot)
    }

    private func location(_ place: (root: Int, offset: Int), _ arena: Arena) -> (base: Plan.Base, byteOffset: Int) {
        switch storage.roots[place.root].owner {
        case .arena: (.arena, arena.offset(place.root) + place.offset)
        case .input(let index): (.feed(index), place.offset)
        case .output(let index): (.result(index), place.offset)
        case .constant(let index): (.constant(index), place.offset)
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
        return Plan.Step(
            node: draft.node, op: draft.op,
            inputs: draft.node.inputs.enumerated().map {
                prepared.contains($0.offset) ? nil : operand($0.element, draft.inputs[$0.offset])
            },
            outputs: draft.node.outputs.enumerated().map { operand($0.element, draft.outputs[$0.offset]) },
            scratchOffset: draft.scratchRoot.map(arena.offset),
            multiplyAccumulates: draft.op.multiplyAccumulates(draft.inputs, draft.outputs))
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
