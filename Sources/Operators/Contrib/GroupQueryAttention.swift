import GraphIR
import TensorCore

/// com.microsoft GroupQueryAttention in float32: causal attention of new tokens over a cache. query `[B, M, H D]`, key
/// and value `[B, M, G D]`, or all in the query; past keys and values `[B, G, P, D]`; valid keys of each batch less
/// one `[B]`; the most of them. Queries and keys are turned by position where `do_rotary`.
///
/// Outputs: Y `[B, M, H D]`, present keys and values `[B, G, max(P, most), D]`, rows past the valid ones zero.
struct GroupQueryAttention: Operator {
    static let elementTypes: [DType] = [.float32]
    private let heads, keyHeads: Int
    private let scale, softcap: Float
    /// Keys before each query that it sees; the window counts the query too.
    private let window: Int?
    private let rotates, isInterleaved: Bool
    private let isPacked: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        heads = try node.required("num_heads", try node.positive("num_heads"))
        keyHeads = try node.required("kv_num_heads", try node.positive("kv_num_heads"))
        scale = try node.float("scale", default: 0)
        softcap = try node.float("softcap", default: 0)
        let size = try node.int("local_window_size", default: -1)
        window = size < 0 ? nil : max(size - 1, 0)
        rotates = try node.bool("do_rotary", default: false)
        isInterleaved = try node.bool("rotary_interleaved", default: false)
        isPacked = !node.hasInput(1)
        guard heads % keyHeads == 0, heads <= 1 << 24 else {
            throw node.error(.shape, "num_heads", got: "\(heads)", allowed: "a multiple of kv_num_heads \(keyHeads)")
        }
        guard isPacked != node.hasInput(2), node.hasInput(3) == node.hasInput(4), node.hasOutput(1), node.hasOutput(2),
            !rotates || node.hasInput(7) && node.hasInput(8)
        else {
            throw node.error(
                .graph, "inputs and outputs", got: "\(node.inputCount) and \(node.outputCount)",
                allowed: "key with value, past key with past value, cosines and sines to rotate, present outputs")
        }
        for name in ["smooth_softmax", "qk_output"] where try node.bool(name, default: false) {
            throw node.error(.unsupported, "attribute \(name)", got: "1", allowed: "0")
        }
        for index in [9, 11] where node.hasInput(index) {
            throw node.error(.unsupported, "input \(index)", got: "one", allowed: "none")
        }
    }

    private func depth(of hidden: Dim, at place: some NodePlace) throws(SardonyxError) -> Dim {
        guard let hidden = hidden.value else { return .unknown }
        let all = isPacked ? heads + 2 * keyHeads : heads
        guard hidden % all == 0 else {
            throw place.error(
                .shape, "last axis of query", got: "\(hidden)", allowed: "a multiple of \(all)", hint: nil)
        }
        return .known(hidden / all)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        for index in [0, 1, 2, 3, 4, 7, 8, 10] where context.hasInput(index) {
            try context.requireDType(index, [.float32], "input \(index)")
        }
        for index in 5...6 { try context.requireDType(index, [.int32], "input \(index)") }
        try context.requireRank(0, 3...3, "query")
        guard let q = try context.shape(0) else {
            return [Inferred](repeating: Inferred(.float32, nil), count: 3)
        }
        let depth = try depth(of: q.dims[2], at: context)
        for index in 1...2 where !isPacked {
            try context.requireRank(index, 3...3, "input \(index)")
            guard let shape = try context.shape(index) else { continue }
            let wanted = [q.dims[0], q.dims[1], try context.product([.known(keyHeads), depth])]
            for (a, b) in zip(shape.dims, wanted) { try context.requireEqual(a, b, "extents of input \(index)") }
        }
        var room: Dim = .known(0)
        for index in 3...4 where context.hasInput(index) {
            try context.requireRank(index, 4...4, "input \(index)")
            let given = try context.shape(index)?.dims ?? [.unknown, .unknown, .unknown, .unknown]
            for (a, b) in zip(given, [q.dims[0], .known(keyHeads), index == 4 ? room : .unknown, depth]) {
                try context.requireEqual(a, b, "extents of input \(index)")
            }
            room = given[2]
        }
        for index in 7...8 where context.hasInput(index) {
            try context.requireRank(index, 2...2, "input \(index)")
            guard let pairs = try context.shape(index)?.dims[1].value, let depth = depth.value, 2 * pairs > depth
            else { continue }
            throw context.error(.shape, "rotated pairs", got: "\(pairs)", allowed: "at most \(depth / 2)")
        }
        if let lengths = try context.shape(5), lengths.rank > 0 {
            try context.requireEqual(lengths.dims[0], q.dims[0], "elements of seqlens_k and batch")
        }
        var keys: Dim = .unknown
        if let most = try context.integers(6)?.first, let room = room.value { keys = .known(max(most, room, 0)) }
        let present = Inferred(.float32, SymbolicShape([q.dims[0], .known(keyHeads), keys, depth]))
        let width = try context.product([.known(heads), depth])
        return [Inferred(.float32, SymbolicShape([q.dims[0], q.dims[1], width])), present, present]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let q = try context.input(0)
        let (batch, rows) = (q.shape[0], q.shape[1])
        let depth = try depth(of: .known(q.shape[2]), at: context).value ?? 0
        let room = context.hasInput(3) ? try context.input(3).shape[2] : 0
        let most = try context.integer(6) ?? 0
        let lengths = try context.integers(5) ?? []
        guard lengths.count == batch, most >= rows, most <= CheckedSize.maximumElements else {
            throw context.error(
                .value, "valid keys", got: "\(lengths.count) batches, \(most) in all",
                allowed: "\(batch), \(rows) or more")
        }
        let isPrompt = most == rows
        let starts = lengths.map { isPrompt ? 0 : $0 + 1 - rows }
        guard starts.allSatisfy({ $0 >= 0 && $0 <= room && $0 + rows <= most }) else {
            throw context.error(.value, "seqlens_k", got: "\(lengths)", allowed: "\(rows - 1) to \(most - 1)")
        }
        let keys = max(most, room)
        let shape = try context.shape(of: [batch, keyHeads, keys, depth])
        let present = [
            try context.output(1, dtype: .float32, shape: shape), try context.output(2, dtype: .float32, shape: shape),
        ]
        let row = isPacked ? heads + 2 * keyHeads : heads
        var form = AttentionForm(
            batch: batch, heads: heads, keyHeads: keyHeads, rows: rows, keys: most, depth: depth, columns: depth,
            scale: scale != 0 ? Double(scale) : 1 / Double(max(depth, 1)).squareRoot(), softcap: Double(softcap),
            q: .byRow(heads: row, rows: rows, columns: depth),
            k: .byHead(heads: keyHeads, rows: keys, columns: depth),
            v: .byHead(heads: keyHeads, rows: keys, columns: depth),
            y: .byRow(heads: heads, rows: rows, columns: depth))
        let scratchBytes = try form.scratchByteCount(.float32, threads: context.threads, at: context)
        guard let first = CheckedSize.roundUp(scratchBytes, to: 64),
            let second = CheckedSize.sum(first, batch * 8).flatMap({ CheckedSize.roundUp($0, to: 64) }),
            let total = CheckedSize.product(rotates ? q.elementCount : 0, 4).flatMap({ CheckedSize.sum(second, $0) })
        else { throw context.error(.limit, "scratch", got: "\(most) keys", allowed: "less than 2^63 bytes") }
        try context.budget.check(total, for: context.label)
        let memory = try Buffer(byteCount: total)
        let valid = (memory.pointer + first).assumingMemoryBound(to: Int64.self)
        for b in 0..<batch { valid[b] = Int64(starts[b] + rows) }
        for (index, target) in present.enumerated() {
            try fill(target.floats, index, starts, room: room, keys: keys, depth: depth, context)
        }
        var queries = q.floats
        if rotates {
            queries = (memory.pointer + second).assumingMemoryBound(to: Float.self)
            form.q = .byRow(heads: heads, rows: rows, columns: depth)
            for unit in 0..<batch * rows * heads {
                let (token, head) = (unit / heads, unit % heads)
                let position = starts[token / rows] + token % rows
                try rotate(
                    q.floats + (token * row + head) * depth, to: queries + unit * depth, position, depth, context)
            }
        }
        let spans = KeySpans(isCausal: true, left: window, lengths: isPrompt ? nil : UnsafePointer(valid))
        try form.run(
            q: UnsafePointer(queries), k: UnsafePointer(present[0].floats), v: UnsafePointer(present[1].floats),
            y: try context.output(0).floats, bias: context.hasInput(10) ? try bias(form, context) : nil, spans: spans,
            scratch: memory.pointer, context)
        withExtendedLifetime(memory) {}
    }

    private func bias(_ form: AttentionForm, _ context: RunContext) throws(SardonyxError) -> KeyBias {
        let view = try context.input(10)
        let wanted = [form.batch, form.heads, form.rows, form.keys]
        guard view.shape.rank == 4, zip(view.shape, wanted).allSatisfy({ $0 == 1 || $0 == $1 }) else {
            throw context.error(.shape, "attention bias", got: "\(view.shape)", allowed: "\(wanted) or ones")
        }
        return KeyBias(view)
    }

    /// The valid past rows, then the new ones, then zeros.
    private func fill(
        _ target: UnsafeMutablePointer<Float>, _ index: Int, _ starts: [Int], room: Int, keys: Int, depth: Int,
        _ context: RunContext
    ) throws(SardonyxError) {
        let source = try context.input(isPacked ? 0 : index + 1)
        let rows = source.shape[1]
        let width = source.shape[2]
        let offset = isPacked ? (heads + index * keyHeads) * depth : 0
        let past = context.hasInput(3) ? try context.input(3 + index).floats : nil
        for unit in 0..<starts.count * keyHeads {
            try context.interruption?.check()
            let (b, head) = (unit / keyHeads, unit % keyHeads)
            let to = target + unit * keys * depth
            if let past { to.update(from: past + unit * room * depth, count: starts[b] * depth) }
            for row in 0..<rows {
                let from = source.floats + (b * rows + row) * width + offset + head * depth
                let at = to + (starts[b] + row) * depth
                if index == 0, rotates {
                    try rotate(from, to: at, starts[b] + row, depth, context)
                } else {
                    at.update(from: from, count: depth)
                }
            }
            let end = starts[b] + rows
            (to + end * depth).update(repeating: 0, count: (keys - end) * depth)
        }
    }

    private func rotate(
        _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ position: Int, _ depth: Int,
        _ context: RunContext
    ) throws(SardonyxError) {
        let (cosines, sines) = (try context.input(7), try context.input(8))
        let pairs = cosines.shape[1]
        guard position < min(cosines.shape[0], sines.shape[0]), sines.shape[1] == pairs, 2 * pairs <= depth else {
            throw context.error(
                .value, "position", got: "\(position)", allowed: "less than the \(cosines.shape[0]) rows of cosines")
        }
        PairRotation(pairs: pairs, width: depth, isInterleaved: isInterleaved).apply(
            x, to: y, cosines: cosines.floats + position * pairs, sines: sines.floats + position * pairs)
    }
}
