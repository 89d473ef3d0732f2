import GraphIR
import TensorCore

/// ONNX Attention (23, 24, 25): Y = softmax(cap(scale Q Kᵀ) + mask) V for queries, keys and values `[B, H, L, D]` or
/// `[B, L, H D]`; query heads are a multiple of key heads. Past keys and values come before the new ones; causal
/// order and windows count positions from the first past key, or from the end of `nonpad_kv_seqlen`.
///
/// Outputs: Y, present key and value, and the scores at one stage.
struct DotProductAttention: Operator {
    static let elementTypes: [DType] = DType.floating
    private let heads, keyHeads: Int?
    private let scale: Float?
    private let softcap: Float
    private let stage: AttentionForm.Stage
    private var spans: Spans
    private(set) var form: AttentionForm?
    /// Bytes of scratch that the form takes, then keys and values that are put together from past and new ones.
    private var formScratch = 0
    private var keyScratch = 0
    private(set) var scratchByteCount = 0
    /// New keys and values, and where past ones are, in the present ones.
    private var copies: [Copies] = []

    private struct Spans: Sendable {
        var isCausal: Bool
        var left, right: Int?
        var offset = 0
    }

    private struct Copies: Sendable {
        var past, new: StridedCopy
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        heads = try node.positive("q_num_heads")
        keyHeads = try node.positive("kv_num_heads")
        scale = try node.float("scale")
        softcap = try node.float("softcap", default: 0)
        let mode = try node.int("qk_matmul_output_mode", default: 0)
        guard let stage = AttentionForm.Stage(rawValue: mode) else {
            throw node.error(.unsupported, "attribute qk_matmul_output_mode", got: "\(mode)", allowed: "0 to 3")
        }
        self.stage = stage
        func window(_ name: String) throws(SardonyxError) -> Int? {
            let size = try node.int(name, default: -1)
            guard size >= -1 else {
                throw node.error(.value, "attribute \(name)", got: "\(size)", allowed: "-1 or more")
            }
            return size < 0 ? nil : size
        }
        let isWindowed = node.opset >= 25
        spans = Spans(
            isCausal: try node.bool("is_causal", default: false),
            left: isWindowed ? try window("left_window_size") : nil,
            right: isWindowed ? try window("right_window_size") : nil)
        if let precision = try node.dtype("softmax_precision"), !DType.floating.contains(precision) {
            throw node.error(
                .unsupported, "attribute softmax_precision", got: "\(precision)", allowed: "a floating-point type")
        }
        guard node.hasInput(4) == node.hasInput(5) else {
            throw node.error(.graph, "past key and value", got: "one of them", allowed: "both or none")
        }
    }

    private struct Operands {
        var q, k, v: HeadDims
        var past: Dim
        var keys: Dim
    }

    private func operands(_ shapes: [SymbolicShape?], at place: some NodePlace) throws(SardonyxError) -> Operands? {
        guard let q = shapes[0], let k = shapes[1], let v = shapes[2] else { return nil }
        guard q.rank == k.rank, k.rank == v.rank else {
            throw place.error(.shape, "ranks of Q, K and V", got: "\(q), \(k), \(v)", allowed: "equal", hint: nil)
        }
        let queries = try HeadDims(q, heads: heads, "Q", at: place)
        let keys = try HeadDims(k, heads: keyHeads, "K", at: place)
        let values = try HeadDims(v, heads: keyHeads, "V", at: place)
        for (role, other) in [("K", keys), ("V", values)] {
            try place.requireEqual(queries.batch, other.batch, "batch of Q and \(role)")
        }
        try place.requireEqual(queries.depth, keys.depth, "depth of Q and K")
        try place.requireEqual(keys.heads, values.heads, "heads of K and V")
        try place.requireEqual(keys.length, values.length, "length of K and V")
        if let many = queries.heads.value, let few = keys.heads.value, few == 0 ? many != 0 : many % few != 0 {
            throw place.error(.shape, "heads of Q", got: "\(many)", allowed: "a multiple of K's \(few)", hint: nil)
        }
        var past: Dim = .known(0)
        for (index, new) in [(4, keys), (5, values)] where index < shapes.count {
            guard let shape = shapes[index] else { continue }
            guard shape.rank == 4 else {
                throw place.error(.shape, "input \(index) rank", got: "\(shape)", allowed: "rank 4", hint: nil)
            }
            try place.requireEqual(shape.dims[0], new.batch, "batch of input \(index)")
            try place.requireEqual(shape.dims[1], new.heads, "heads of input \(index)")
            try place.requireEqual(shape.dims[3], new.depth, "depth of input \(index)")
            if index == 5 { try place.requireEqual(past, shape.dims[2], "length of past key and value") }
            past = shape.dims[2]
        }
        guard let length = Dim.sum([past, keys.length]) else {
            throw place.error(.limit, "keys", got: "\(past) and \(keys.length)", allowed: "at most 2^48", hint: nil)
        }
        return Operands(q: queries, k: keys, v: values, past: past, keys: length)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [dtype], "K")
        try context.requireDType(2, DType.floating.filter { ($0 == .float64) == (dtype == .float64) }, "V")
        let value = try context.dtype(2)
        if context.hasInput(4) {
            try context.requireDType(4, [dtype], "past key")
            try context.requireDType(5, [value], "past value")
        }
        var shapes: [SymbolicShape?] = []
        for index in 0..<6 { shapes.append(context.hasInput(index) ? try context.shape(index) : nil) }
        guard let operands = try operands(shapes, at: context) else {
            return [dtype, dtype, value, dtype].map { Inferred($0, nil) }
        }
        let past = context.hasInput(4) && (shapes[4] == nil || shapes[5] == nil) ? Dim.unknown : operands.keys
        let (q, k, v) = (operands.q, operands.k, operands.v)
        let scores = SymbolicShape([q.batch, q.heads, q.length, past])
        try check(scores, context)
        let y =
            q.isByRow
            ? SymbolicShape([q.batch, q.length, try context.product([q.heads, v.depth])])
            : SymbolicShape([q.batch, q.heads, q.length, v.depth])
        return [
            Inferred(dtype, y), Inferred(dtype, SymbolicShape([k.batch, k.heads, past, k.depth])),
            Inferred(value, SymbolicShape([v.batch, v.heads, past, v.depth])), Inferred(dtype, scores),
        ]
    }

    /// Checks the mask and the numbers of valid keys.
    private func check(_ scores: SymbolicShape, _ context: InferContext) throws(SardonyxError) {
        if context.hasInput(3) {
            try context.requireDType(3, DType.numeric + [.bool], "mask")
            try context.requireRank(3, 1...4, "mask")
            if var mask = try context.shape(3) {
                if let last = mask.dims.last?.value, let keys = scores.dims[3].value, last <= keys {
                    mask.dims[mask.rank - 1] = .known(keys)
                }
                for (axis, dim) in mask.dims.enumerated() where dim != .known(1) {
                    let wanted = scores.dims[4 - mask.rank + axis]
                    try context.requireEqual(dim, wanted, "axis \(axis) of the mask and of the scores")
                }
            }
        }
        guard context.hasInput(6) else { return }
        guard !context.hasInput(4) else {
            throw context.error(.graph, "nonpad_kv_seqlen", got: "past keys too", allowed: "one of them")
        }
        try context.requireDType(6, [.int64], "nonpad_kv_seqlen")
        try context.requireRank(6, 1...1, "nonpad_kv_seqlen")
        if let lengths = try context.shape(6) {
            try context.requireEqual(lengths.dims[0], scores.dims[0], "elements of nonpad_kv_seqlen and batch")
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let shapes = (0..<6).map { index in
            index < context.inputs.count ? context.inputs[index].map { SymbolicShape($0.shape) } : nil
        }
        guard let operands = try operands(shapes, at: context), let q = operands.q.view(), let k = operands.k.view(),
            let v = operands.v.view(), let extents = operands.q.byHead.knownDims, let keys = operands.keys.value,
            let past = operands.past.value, let keyHeads = operands.k.heads.value, let columns = operands.v.depth.value
        else { return }
        let (heads, rows, depth) = (extents[1], extents[2], extents[3])
        var form = AttentionForm(
            batch: extents[0], heads: heads, keyHeads: keyHeads, rows: rows, keys: keys, depth: depth,
            columns: columns, scale: scale.map(Double.init) ?? 1 / Double(max(depth, 1)).squareRoot(),
            softcap: Double(softcap), q: q, k: k, v: v,
            y: operands.q.isByRow
                ? .byRow(heads: heads, rows: rows, columns: columns)
                : .byHead(heads: heads, rows: rows, columns: columns))
        let dtype = try context.input(0).dtype
        form.rounding = HalfRounding(context.widenedFrom)
        spans.offset = past
        copies = []
        var present: [Int] = []
        for (new, view) in [(operands.k, \AttentionForm.k), (operands.v, \AttentionForm.v)] {
            var cache = new
            cache.isByRow = false
            cache.length = .known(past)
            guard let old = cache.copy(into: keys), let added = new.copy(into: keys, at: past),
                let width = new.depth.value,
                let bytes = CheckedSize.product(extents[0], keyHeads, keys, width, dtype.byteSize)
            else { throw context.error(.limit, "present keys", got: "\(keys)", allowed: "at most 2^48", hint: nil) }
            copies.append(Copies(past: old, new: added))
            present.append(context.hasInput(4) ? bytes : 0)
            if context.hasInput(4) { form[keyPath: view] = .byHead(heads: keyHeads, rows: keys, columns: width) }
        }
        let most = try form.scratchByteCount(dtype, threads: context.threads, at: context)
        guard let first = CheckedSize.roundUp(most, to: 64), let second = CheckedSize.roundUp(present[0], to: 64),
            let total = CheckedSize.sum(first, second, present[1])
        else { throw context.error(.limit, "scratch", got: "\(present)", allowed: "less than 2^63 bytes", hint: nil) }
        (formScratch, keyScratch, scratchByteCount) = (first, second, total)
        self.form = form
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context)
        } else {
            try run(Float.self, context)
        }
    }

    private func run<T: AttentionElement>(_ type: T.Type, _ context: RunContext) throws(SardonyxError) {
        guard let form else { return }
        var sources = [try context.input(1).typed(T.self), try context.input(2).typed(T.self)]
        for (index, copy) in copies.enumerated() {
            let joined = context.scratch.map { $0 + formScratch + index * keyScratch }
            let target = context.hasOutput(index + 1) ? try context.output(index + 1).pointer : joined
            guard let target, context.hasOutput(index + 1) || context.hasInput(4) else { continue }
            let new = try context.input(index + 1)
            if context.hasInput(4) {
                let past = try context.input(index + 4)
                copy.past.run(from: past.pointer, to: target, new.dtype, threads: context.threads)
                sources[index] = target.assumingMemoryBound(to: T.self)
            }
            copy.new.run(from: new.pointer, to: target, new.dtype, threads: context.threads)
        }
        let lengths = context.hasInput(6) ? UnsafePointer(try context.input(6).typed(Int64.self)) : nil
        let spans = KeySpans(
            isCausal: self.spans.isCausal, left: self.spans.left, right: self.spans.right, offset: self.spans.offset,
            lengths: lengths)
        let shown = context.hasOutput(3) ? try context.output(3).typed(T.self) : nil
        try form.run(
            q: UnsafePointer(try context.input(0).typed(T.self)), k: UnsafePointer(sources[0]),
            v: UnsafePointer(sources[1]), y: try context.output(0).typed(T.self),
            bias: context.hasInput(3) ? KeyBias(try context.input(3)) : nil, spans: spans,
            scores: shown.map { ($0, stage) }, scratch: context.scratch, context)
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        form.flatMap {
            CheckedSize.product($0.batch, $0.heads, $0.rows, $0.keys, $0.depth + $0.columns)
        } ?? 0
    }
}
