import CKernels
import GraphIR
import TensorCore

/// com.microsoft MultiHeadAttention: Y `[B, M, H E]` = softmax(scale Q Kᵀ + masks) V, and com.microsoft Attention,
/// whose Q, K and V are x `[B, M, C]` times weights `[C, 2 H D + H E]` plus bias.
///
/// MultiHeadAttention: query `[B, M, H D]`, key and value `[B, L, H D]` or `[B, H, L, D]`, one bias for all three, past
/// key and value. Attention: past `[2, B, H, P, D]`. Masks: valid keys of each batch `[B]`, or for each key `[B, L]`
/// whether it is one (others get `mask_filter_value`), and an attention bias that broadcasts to `[B, H, M, L]`.
struct MultiHeadAttention: Operator {
    static let elementTypes: [DType] = [.float32, .float16, .bfloat16]
    private let heads: Int
    private let scale: Float
    private let maskValue: Float
    private let isCausal: Bool
    /// Widths of Q, K and V together.
    private let widths: [Int]?
    private let positions: Positions
    private var layout: Arrangement?
    private(set) var scratchByteCount = 0

    /// Where inputs are.
    private struct Positions: Sendable {
        let projects: Bool
        var bias: Int { projects ? 2 : 3 }
        var mask: Int { projects ? 3 : 4 }
        var added: Int { 5 }
        /// Past keys, and values where they are apart.
        var past: [Int] { projects ? [4] : [6, 7] }
    }

    /// Concrete extents, and where in the scratch things are.
    ///
    /// Unchecked, because the kernel's arguments hold pointers; between runs none is set.
    private struct Arrangement: @unchecked Sendable {
        var form: AttentionForm
        var past: Int
        var projection: sx_gemm_args
        /// Of the three operands: where one is in its source, and its strides there.
        var sources: [(first: Int, view: AttentionForm.View)]
        /// Scratch offsets of the projection, Q, K, V and the mask.
        var offsets: [Int]
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        positions = Positions(projects: node.node.opType == "Attention")
        heads = try node.required("num_heads", try node.positive("num_heads"))
        scale = try node.float("scale", default: 0)
        maskValue = try node.float("mask_filter_value", default: -10_000)
        isCausal = try node.bool("unidirectional", default: false)
        widths = try node.ints("qkv_hidden_sizes")
        guard try node.int("do_rotary", default: 0) == 0 else {
            throw node.error(.unsupported, "attribute do_rotary", got: "1", allowed: "0")
        }
        for index in positions.projects ? [6] : [8, 9] where node.hasInput(index) {
            throw node.error(
                .unsupported, "input \(index)", got: "a shared buffer of the past", allowed: "none")
        }
        if positions.projects {
            if let widths, widths.count != 3 || widths.contains(where: { $0 <= 0 || $0 % heads != 0 }) {
                throw node.error(
                    .shape, "attribute qkv_hidden_sizes", got: "\(widths)",
                    allowed: "three multiples of \(heads)")
            }
        } else {
            guard node.hasInput(1), node.hasInput(2), !node.hasOutput(3) else {
                throw node.error(
                    .unsupported, "packed key and value, or output 3", got: "one", allowed: "three inputs")
            }
        }
        guard !node.hasOutput(1) || positions.projects || node.hasOutput(2) else {
            throw node.error(.graph, "outputs present key and value", got: "one", allowed: "both or none")
        }
    }

    private struct Operands {
        var q, k, v: HeadDims
        var past: Dim
        var keys: Dim
    }

    private func operands(_ shape: (Int) -> SymbolicShape?, at place: some NodePlace)
        throws(SardonyxError)
        -> Operands?
    {
        guard let x = shape(0) else { return nil }
        var parts: [HeadDims] = []
        if positions.projects {
            guard let weights = shape(1) else { return nil }
            guard x.rank == 3, weights.rank == 2 else {
                throw place.error(
                    .shape, "ranks of input and weights", got: "\(x), \(weights)", allowed: "3 and 2",
                    hint: nil)
            }
            try place.requireEqual(
                x.dims[2], weights.dims[0], "last axis of the input and rows of the weights")
            guard let all = weights.dims[1].value else { return nil }
            let widths = widths ?? [all / 3, all / 3, all / 3]
            guard CheckedSize.sum(widths) == all, widths[0] == widths[1] else {
                throw place.error(
                    .shape, "columns of the weights", got: "\(all)", allowed: "Q, K and V of \(widths)",
                    hint: nil)
            }
            for (width, role) in zip(widths, ["Q", "K", "V"]) {
                let dims = SymbolicShape([x.dims[0], x.dims[1], .known(width)])
                parts.append(try HeadDims(dims, heads: heads, role, at: place))
            }
        } else {
            guard let k = shape(1), let v = shape(2) else { return nil }
            guard x.rank == 3 else {
                throw place.error(.unsupported, "query rank", got: "\(x)", allowed: "rank 3", hint: nil)
            }
            for (operand, role) in [(x, "query"), (k, "key"), (v, "value")] {
                parts.append(try HeadDims(operand, heads: heads, role, at: place))
            }
        }
        let (q, k, v) = (parts[0], parts[1], parts[2])
        for other in [k, v] {
            try place.requireEqual(q.batch, other.batch, "batch")
            try place.requireEqual(.known(heads), other.heads, "heads")
        }
        try place.requireEqual(q.depth, k.depth, "depth of query and key")
        try place.requireEqual(k.length, v.length, "length of key and value")
        var past = Dim.known(0)
        for (index, new) in zip(positions.past, [k, v]) {
            guard let given = shape(index) else { continue }
            let own = positions.projects ? [.known(2)] : [Dim]()
            let wanted = own + [new.batch, new.heads, .unknown, new.depth]
            guard given.rank == wanted.count else {
                throw place.error(
                    .shape, "past rank", got: "\(given)", allowed: "rank \(wanted.count)", hint: nil)
            }
            for (a, b) in zip(given.dims, wanted) { try place.requireEqual(a, b, "extents of the past") }
            past = given.dims[given.rank - 2]
        }
        guard let keys = Dim.sum([past, k.length]) else {
            throw place.error(
                .limit, "keys", got: "\(past) and \(k.length)", allowed: "at most 2^48", hint: nil)
        }
        return Operands(q: q, k: k, v: v, past: past, keys: keys)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        for index in [1, 2, 5] + positions.past + [positions.bias] where context.hasInput(index) {
            try context.requireDType(index, [dtype], "input \(index)")
        }
        var shapes: [SymbolicShape?] = []
        for index in 0..<8 { shapes.append(context.hasInput(index) ? try context.shape(index) : nil) }
        guard let operands = try operands({ shapes[$0] }, at: context) else {
            return [Inferred](repeating: Inferred(dtype, nil), count: 3)
        }
        let (q, k, v) = (operands.q, operands.k, operands.v)
        if let bias = shapes[positions.bias], let depth = q.depth.value, let columns = v.depth.value {
            let wanted = CheckedSize.sum(depth, depth, columns).flatMap { CheckedSize.product(heads, $0) }
            if let dims = bias.knownDims, dims != [wanted ?? -1] {
                throw context.error(.shape, "bias", got: "\(dims)", allowed: "[\(wanted ?? 0)]")
            }
        }
        if context.hasInput(positions.mask) {
            try context.requireDType(positions.mask, [.int32], "mask")
            if let mask = shapes[positions.mask] {
                try context.requireEqual(mask.dims.first ?? .known(1), q.batch, "batch of mask and input")
                try context.requireRank(positions.mask, 1...2, "mask")
                if mask.rank == 2 { try context.requireEqual(mask.dims[1], operands.keys, "keys and mask") }
            }
        }
        if let added = shapes[positions.added] {
            try context.requireRank(positions.added, 4...4, "attention bias")
            for (a, b) in zip(added.dims, [q.batch, q.heads, q.length, operands.keys])
            where a != .known(1) {
                try context.requireEqual(a, b, "extents of attention bias and scores")
            }
        }
        let y = SymbolicShape([q.batch, q.length, try context.product([.known(heads), v.depth])])
        if positions.projects {
            let present = SymbolicShape([.known(2), q.batch, q.heads, operands.keys, k.depth])
            if context.node.outputs.count > 1, context.node.outputs[1] != nil {
                try context.requireEqual(k.depth, v.depth, "depth of key and value with a present output")
            }
            return [Inferred(dtype, y), Inferred(dtype, present)]
        }
        return [
            Inferred(dtype, y),
            Inferred(dtype, SymbolicShape([q.batch, q.heads, operands.keys, k.depth])),
            Inferred(dtype, SymbolicShape([q.batch, q.heads, operands.keys, v.depth])),
        ]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let shapes = (0..<8).map { index in
            index < context.inputs.count ? context.inputs[index].map { SymbolicShape($0.shape) } : nil
        }
        guard let operands = try operands({ shapes[$0] }, at: context),
            let q = operands.q.byHead.knownDims,
            let v = operands.v.byHead.knownDims,
            let past = operands.past.value,
            let keys = operands.keys.value
        else { return }
        let (batch, rows, depth, columns) = (q[0], q[2], q[3], v[3])
        let form = AttentionForm(
            batch: batch, heads: heads, keyHeads: heads, rows: rows, keys: keys, depth: depth,
            columns: columns,
            scale: scale != 0 ? Double(scale) : 1 / Double(max(depth, 1)).squareRoot(),
            q: .byHead(heads: heads, rows: rows, columns: depth),
            k: .byHead(heads: heads, rows: keys, columns: depth),
            v: .byHead(heads: heads, rows: keys, columns: columns),
            y: .byRow(heads: heads, rows: rows, columns: columns))
        var projection = sx_gemm_args()
        var sources: [(first: Int, view: AttentionForm.View)] = []
        var most = try form.scratchByteCount(.float32, threads: context.threads, at: context)
        var projected = 0
        if positions.projects, let x = shapes[0]?.knownDims {
            let width = heads * (2 * depth + columns)
            projection = sx_gemm_args(m: batch * rows, n: width, k: x[2], transposesB: false)
            (projection.beta, projection.bias_column_stride) = (1, 1)
            projected = batch * rows * width
            most = max(most, Int(sx_gemm_scratch_bytes(&projection, Int32(context.threads))))
            for (first, head) in [(0, depth), (heads * depth, depth), (2 * heads * depth, columns)] {
                sources.append((first, AttentionForm.View(batch: rows * width, head: head, row: width)))
            }
        } else {
            for operand in [operands.q, operands.k, operands.v] {
                guard let view = operand.view() else { return }
                sources.append((0, view))
            }
        }
        var offsets: [Int] = []
        var end: Int? = most
        let rest = [
            CheckedSize.product(projected, 1), CheckedSize.product(batch, heads, rows, depth),
            CheckedSize.product(batch, heads, keys, depth),
            CheckedSize.product(batch, heads, keys, columns),
            CheckedSize.product(batch, keys),
        ]
        for count in rest {
            let start = end.flatMap { CheckedSize.roundUp($0, to: 64) }
            offsets.append(start ?? 0)
            end = start.flatMap { start in
                count.flatMap { CheckedSize.product($0, 4) }.flatMap { CheckedSize.sum(start, $0) }
            }
        }
        guard let end else {
            throw context.error(
                .limit, "scratch", got: "\(keys) keys", allowed: "less than 2^63 bytes", hint: nil)
        }
        scratchByteCount = end
        layout = Arrangement(
            form: form, past: past, projection: projection, sources: sources, offsets: offsets)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard let layout, let scratch = context.scratch else { return }
        let form = layout.form
        let memory = layout.offsets.map { (scratch + $0).assumingMemoryBound(to: Float.self) }
        let bias = context.hasInput(positions.bias) ? try context.input(positions.bias).floats : nil
        var operands = [memory[0], memory[0], memory[0]]
        if positions.projects {
            var projection = layout.projection
            projection.a = UnsafePointer(try context.input(0).floats)
            projection.b = UnsafePointer(try context.input(1).floats)
            projection.c = memory[0]
            projection.bias = bias.map { UnsafePointer($0) }
            sx_gemm(&projection, scratch, Int32(context.threads))
        } else {
            operands = [
                try context.input(0).floats, try context.input(1).floats, try context.input(2).floats,
            ]
        }
        var targets = [memory[1], memory[2], memory[3]]
        if context.hasOutput(1) {
            targets[1] = try context.output(1).floats
            targets[2] =
                positions.projects
                ? targets[1] + form.batch * form.heads * form.keys * form.depth
                : try context.output(2).floats
        }
        var added = 0
        for (index, width) in [form.depth, form.depth, form.columns].enumerated() {
            let part = Part(
                batch: form.batch, heads: form.heads,
                rows: index == 0 ? form.rows : form.keys - layout.past,
                columns: width, past: index == 0 ? 0 : layout.past)
            var past: UnsafeMutablePointer<Float>?
            if index > 0, context.hasInput(positions.past[0]) {
                past =
                    positions.projects
                    ? try context.input(4).floats
                        + (index - 1) * form.batch * form.heads * layout.past * form.depth
                    : try context.input(5 + index).floats
            }
            let source = layout.sources[index]
            part.copy(
                from: operands[index] + source.first, source.view, past: past,
                bias: positions.projects ? nil : bias.map { UnsafePointer($0 + added) }, to: targets[index])
            added += form.heads * width
        }
        let mask = try mask(into: memory[4], form, context)
        try form.run(
            q: targets[0], k: targets[1], v: targets[2], y: try context.output(0).floats,
            bias: context.hasInput(positions.added) ? KeyBias(try context.input(positions.added)) : nil,
            padding: mask,
            spans: KeySpans(isCausal: isCausal, offset: layout.past), scratch: scratch, context)
    }

    /// What the mask adds to the scores, `[B, 1, 1, L]`.
    private func mask(
        into memory: UnsafeMutablePointer<Float>, _ form: AttentionForm, _ context: RunContext
    ) throws(SardonyxError) -> KeyBias? {
        guard context.hasInput(positions.mask) else { return nil }
        let mask = try context.input(positions.mask)
        let numbers = mask.typed(Int32.self)
        for batch in 0..<form.batch {
            for key in 0..<form.keys {
                let at = batch * form.keys + key
                let isValid = mask.shape.rank == 1 ? key < Int(numbers[batch]) : numbers[at] != 0
                memory[at] = isValid ? 0 : maskValue
            }
        }
        let shape = try context.shape(of: [form.batch, 1, 1, form.keys])
        return KeyBias(
            TensorView(dtype: .float32, shape: shape, pointer: UnsafeMutableRawPointer(memory)))
    }

    /// Rows of one operand put behind past ones, as `[B, H, past + rows, columns]`.
    private struct Part {
        let batch, heads, rows, columns, past: Int

        func copy(
            from source: UnsafePointer<Float>, _ view: AttentionForm.View,
            past old: UnsafePointer<Float>?,
            bias: UnsafePointer<Float>?, to target: UnsafeMutablePointer<Float>
        ) {
            for unit in 0..<batch * heads {
                var to = target + unit * (past + rows) * columns
                if let old { to.update(from: old + unit * past * columns, count: past * columns) }
                to += past * columns
                let head = unit % heads
                let from = source + unit / heads * view.batch + head * view.head
                for row in 0..<rows {
                    for column in 0..<columns {
                        to[row * columns + column] =
                            from[row * view.row + column] + (bias?[head * columns + column] ?? 0)
                    }
                }
            }
        }
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard let form = layout?.form else { return 0 }
        return CheckedSize.product(
            form.batch, form.heads, form.rows, form.keys, form.depth + form.columns) ?? .max
    }
}
