import GraphIR
import Operators
import TensorCore

// Where values live: roots, views, concatenations in place, results in the caller's memory, the arena.
extension PlanBuilder {
    mutating func addRoots(_ drafts: [Draft]) throws(SardonyxError) {
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
    func resident(_ constant: Constant) throws(SardonyxError) -> Tensor {
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
    mutating func joinConcatenations(_ drafts: inout [Draft]) throws(SardonyxError) {
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

    mutating func assignResults(_ results: [ValueID]) {
        for (index, value) in results.enumerated() {
            guard let place = storage.place(of: value), let byteCount = try? infos[value.index]?.storedByteCount(),
                infos[value.index]?.layout == .plain, storage.ownsArenaRoot(value, byteCount: byteCount) != nil
            else { continue }
            storage.setOwner(place.root, .output(index))
        }
    }

    mutating func recordLifetimes(_ drafts: [Draft], _ results: [ValueID]) {
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
    mutating func shareInPlace(_ drafts: [Draft]) throws(SardonyxError) {
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

    struct Arena {
        let layout: ArenaLayout
        /// Box of each arena root.
        let boxes: [Int: Int]

        func offset(_ root: Int) -> Int { boxes[root].map { layout.offsets[$0] } ?? 0 }
    }

    mutating func layOutArena(_ drafts: inout [Draft]) throws(SardonyxError) -> Arena {
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

    /// What lies in the arena and when, in steps: nodes that need not run are none.
    func buffers(_ drafts: [Draft], _ arena: Arena) -> [Plan.Buffer] {
        var stepsBefore = [0]
        var count = 0
        for draft in drafts {
            count += draft.isElided ? 0 : 1
            stepsBefore.append(count)
        }
        // What a result lies in is needed once more, after the last step.
        stepsBefore.append(count)
        var values: [Int: [ValueID]] = [:]
        for index in graph.values.indices {
            let value = ValueID(index)
            guard let place = storage.place(of: value), storage.roots[place.root].owner == .arena else { continue }
            values[place.root, default: []].append(value)
        }
        let buffers = arena.boxes.map { root, box in
            let entry = storage.roots[root]
            let first = min(stepsBefore[entry.firstStep], max(0, count - 1))
            return Plan.Buffer(
                byteOffset: arena.layout.offsets[box], byteCount: entry.byteCount,
                steps: first...max(first, stepsBefore[entry.lastStep + 1] - 1), values: values[root] ?? [])
        }
        return buffers.sorted { ($0.byteOffset, $0.steps.lowerBound) < ($1.byteOffset, $1.steps.lowerBound) }
    }

    func location(_ place: (root: Int, offset: Int), _ arena: Arena) -> (base: Plan.Base, byteOffset: Int) {
        switch storage.roots[place.root].owner {
        case .arena: (.arena, arena.offset(place.root) + place.offset)
        case .input(let index): (.feed(index), place.offset)
        case .output(let index): (.result(index), place.offset)
        case .constant(let index): (.constant(index), place.offset)
        }
    }
}
