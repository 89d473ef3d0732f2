import GraphIR
import TensorCore

/// ONNX LinearAttention (27): for each head a state S `[D, E]` that each step decays, S ← exp(g) S, and adds the
/// product of its key and value, S ← S + k vᵀ; y = scale Sᵀ q. By the delta rule v is first β (v - Sᵀ k).
///
/// q `[B, T, H D]`, k `[B, T, G D]`, v `[B, T, G E]`, past and present state `[B, G, D, E]`, decay g `[B, T, G]` or
/// `[B, T, G D]`, β `[B, T, G]` or `[B, T, 1]`; neighbouring query heads share a state.
struct LinearAttention: Operator {
    static let elementTypes: [DType] = [.float32, .float16, .bfloat16]
    private enum Rule: String, CaseIterable {
        case linear, gated, delta, gatedDelta = "gated_delta"
    }

    private let heads, keyHeads: Int
    private let scale: Float
    private let decays, corrects: Bool
    private var stateBytes = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        heads = try node.required("q_num_heads", try node.positive("q_num_heads"))
        keyHeads = try node.required("kv_num_heads", try node.positive("kv_num_heads"))
        scale = try node.float("scale", default: 0)
        let rule = try node.choice("update_rule", default: Rule.gatedDelta)
        decays = rule == .gated || rule == .gatedDelta
        corrects = rule == .delta || rule == .gatedDelta
        guard heads % keyHeads == 0 else {
            throw node.error(.shape, "q_num_heads", got: "\(heads)", allowed: "a multiple of kv_num_heads \(keyHeads)")
        }
        for (index, name, isWanted) in [(4, "decay", decays), (5, "beta", corrects)]
        where node.hasInput(index) != isWanted {
            throw node.error(
                .graph, "input \(name)", got: isWanted ? "none" : "one",
                allowed: isWanted ? "one for this update_rule" : "none for this update_rule")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        for index in [1, 2, 4, 5] where context.hasInput(index) {
            try context.requireDType(index, [dtype], "input \(index)")
        }
        if context.hasInput(3) { try context.requireDType(3, LinearAttention.elementTypes, "past_state") }
        let state = context.hasInput(3) ? try context.dtype(3) : dtype
        for index in [0, 1, 2, 4, 5] where context.hasInput(index) {
            try context.requireRank(index, 3...3, "input \(index)")
        }
        guard let q = try context.shape(0), let k = try context.shape(1), let v = try context.shape(2) else {
            return [Inferred(dtype, nil), Inferred(state, nil)]
        }
        let queries = try HeadDims(q, heads: heads, "query", at: context)
        let keys = try HeadDims(k, heads: keyHeads, "key", at: context)
        let values = try HeadDims(v, heads: keyHeads, "value", at: context)
        try context.requireEqual(queries.depth, keys.depth, "depth of query and key")
        for index in [1, 2, 4, 5] where context.hasInput(index) {
            guard let shape = try context.shape(index) else { continue }
            try context.requireEqual(shape.dims[0], q.dims[0], "batch of input \(index) and query")
            try context.requireEqual(shape.dims[1], q.dims[1], "length of input \(index) and query")
        }
        for (index, other) in [(4, k.dims[2]), (5, .known(1))] where context.hasInput(index) {
            guard let last = try context.shape(index)?.dims[2], last != .known(keyHeads) else { continue }
            try context.requireEqual(last, other, "last axis of input \(index)")
        }
        let wanted = SymbolicShape([q.dims[0], .known(keyHeads), keys.depth, values.depth])
        if context.hasInput(3), let past = try context.shape(3) {
            try context.requireRank(3, 4...4, "past_state")
            for (a, b) in zip(past.dims, wanted.dims) { try context.requireEqual(a, b, "extents of past_state") }
        }
        let width = try context.product([.known(heads), values.depth])
        return [Inferred(dtype, SymbolicShape([q.dims[0], q.dims[1], width])), Inferred(state, wanted)]
    }

    /// The state of one head, and a value.
    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (q, v) = (try context.input(0).shape, try context.input(2).shape)
        guard let rows = CheckedSize.sum(q[2] / heads, 1),
            let bytes = CheckedSize.product(rows, v[2] / keyHeads, MemoryLayout<Float>.stride)
        else { throw context.error(.limit, "state", got: "\(q) and \(v)", allowed: "less than 2^63 bytes", hint: nil) }
        stateBytes = bytes
    }

    var scratchByteCount: Int { stateBytes }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard let scratch = context.scratch else { return }
        let (q, k, v) = (try context.input(0), try context.input(1), try context.input(2))
        let (depth, width) = (q.shape[2] / heads, v.shape[2] / keyHeads)
        let state = scratch.assumingMemoryBound(to: Float.self)
        let past = context.hasInput(3) ? try context.input(3).floats : nil
        let present = context.hasOutput(1) ? try context.output(1).floats : nil
        let y = try context.output(0).floats
        let decay = context.hasInput(4) ? try context.input(4) : nil
        let beta = context.hasInput(5) ? try context.input(5) : nil
        let factor = scale == 0 ? 1 / Float(depth).squareRoot() : scale
        let group = heads / keyHeads
        for unit in 0..<q.shape[0] * keyHeads {
            let (batch, head) = (unit / keyHeads, unit % keyHeads)
            if let past {
                state.update(from: past + unit * depth * width, count: depth * width)
            } else {
                state.update(repeating: 0, count: depth * width)
            }
            let memory = Head(
                depth: depth, width: width, state: state, value: state + depth * width)
            for step in 0..<q.shape[1] {
                try context.interruption?.check()
                let row = batch * q.shape[1] + step
                if let decay {
                    let perHead = decay.shape[2] == keyHeads ? 1 : depth
                    memory.decay(decay.floats + row * decay.shape[2] + head * perHead, each: perHead == 1 ? 0 : 1)
                }
                let rate = beta.map { $0.floats[row * $0.shape[2] + ($0.shape[2] == 1 ? 0 : head)] }
                memory.add(
                    key: k.floats + (row * keyHeads + head) * depth, value: v.floats + (row * keyHeads + head) * width,
                    rate: rate)
                for query in head * group..<(head + 1) * group {
                    let at = row * heads + query
                    memory.read(q.floats + at * depth, factor, to: y + at * width)
                }
            }
            present?.advanced(by: unit * depth * width).update(from: state, count: depth * width)
        }
    }

    /// The state of one head while steps go by.
    private struct Head {
        let depth, width: Int
        let state, value: UnsafeMutablePointer<Float>

        func decay(_ exponents: UnsafePointer<Float>, each step: Int) {
            for d in 0..<depth {
                let factor = Float.exponential(exponents[d * step])
                for e in 0..<width { state[d * width + e] *= factor }
            }
        }

        /// - Parameter rate: β of the delta rule; `nil`: the value as it is.
        func add(key: UnsafePointer<Float>, value new: UnsafePointer<Float>, rate: Float?) {
            value.update(from: new, count: width)
            if let rate {
                for d in 0..<depth {
                    for e in 0..<width { value[e] -= state[d * width + e] * key[d] }
                }
                for e in 0..<width { value[e] *= rate }
            }
            for d in 0..<depth {
                for e in 0..<width { state[d * width + e] += key[d] * value[e] }
            }
        }

        func read(_ query: UnsafePointer<Float>, _ scale: Float, to y: UnsafeMutablePointer<Float>) {
            y.update(repeating: 0, count: width)
            for d in 0..<depth {
                for e in 0..<width { y[e] += query[d] * state[d * width + e] }
            }
            for e in 0..<width { y[e] *= scale }
        }
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard let q = inputs.first ?? nil, inputs.count > 2, let v = inputs[2] else { return 0 }
        return CheckedSize.product(q.shape.elementCount, v.shape[2] / keyHeads, 2) ?? .max
    }
}
