import CKernels
import TensorCore

/// Y `[B, H, M, E]` = softmax(cap(scale Q Kᵀ) + bias) V: Q `[B, H, M, D]`, K `[B, G, L, D]`, V `[B, G, L, E]`; H is a
/// multiple of G, and neighbouring heads share one of K and V. float32 or float64, a block of rows at a time.
struct AttentionForm: Sendable {
    /// Element strides of batch, head and row; columns are neighbours.
    struct View: Sendable {
        var batch, head, row: Int

        /// `[batch, heads, rows, columns]`
        static func byHead(heads: Int, rows: Int, columns: Int) -> View {
            View(batch: heads * rows * columns, head: rows * columns, row: columns)
        }

        /// `[batch, rows, heads * columns]`
        static func byRow(heads: Int, rows: Int, columns: Int) -> View {
            View(batch: heads * rows * columns, head: columns, row: heads * columns)
        }
    }

    /// Which scores the optional fourth output of attention shows.
    enum Stage: Int, CaseIterable, Sendable { case product, capped, biased, softmax }

    var batch, heads, keyHeads, rows, keys, depth, columns: Int
    var scale: Double
    /// 0: none.
    var softcap: Double = 0
    var q, k, v, y: View
    /// Of float16 and bfloat16, after each operator of the function's body (ONNX 23): only for float32.
    var rounding: HalfRounding?

    private static let blockRows = 256

    /// Scratch for any bias and spans.
    /// - Throws: `limit` when it overflows.
    func scratchByteCount(_ dtype: DType, threads: Int, at place: some NodePlace) throws(SardonyxError) -> Int {
        var most = 0
        for count in [min(rows, AttentionForm.blockRows), rows % AttentionForm.blockRows] {
            for var product in products(rows: count) {
                most = max(most, Int(sx_gemm_scratch_bytes(&product, Int32(threads))))
            }
        }
        var arguments = kernelArguments
        let kernel = Int(sx_attention_scratch_bytes(&arguments, Int32(threads)))
        guard kernel >= 0, let block = scoreByteCount(dtype.byteSize), let blocks = CheckedSize.sum(block, most) else {
            throw place.error(
                .limit, "scratch", got: "\(rows) rows, \(keys) keys", allowed: "less than 2^63", hint: nil)
        }
        guard let rounded = roundedByteCount, let total = CheckedSize.sum(max(blocks, kernel), rounded) else {
            throw place.error(
                .limit, "scratch", got: "\(keys) keys of \(depth)", allowed: "less than 2^63", hint: nil)
        }
        return total
    }

    /// Scaled and rounded queries of a block, and keys of a head.
    private var roundedByteCount: Int? {
        guard rounding != nil else { return 0 }
        return CheckedSize.sum(min(rows, AttentionForm.blockRows), keys).flatMap {
            CheckedSize.product($0, depth, 4).flatMap { CheckedSize.roundUp($0, to: 64) }
        }
    }

    private func scoreByteCount(_ size: Int) -> Int? {
        CheckedSize.product(min(rows, AttentionForm.blockRows), keys, size).flatMap { CheckedSize.roundUp($0, to: 64) }
    }

    private func products(rows: Int) -> [sx_gemm_args] {
        [
            sx_gemm_args(m: rows, n: keys, k: depth, transposesB: true),
            sx_gemm_args(m: rows, n: columns, k: keys, transposesB: false),
        ]
    }

    /// Heads that share a head of K are the kernel's heads, and heads of K its batches.
    private var kernelArguments: sx_attention_args {
        let group = heads / max(keyHeads, 1)
        func view(_ view: View, sharesHeads: Bool) -> sx_attention_view {
            sx_attention_view(
                batch_stride: Int64(sharesHeads ? view.head : view.head * group),
                head_stride: Int64(sharesHeads ? 0 : view.head), row_stride: Int64(view.row), column_stride: 1)
        }
        var arguments = sx_attention_args()
        (arguments.batch, arguments.heads) = (Int64(keyHeads), Int64(group))
        (arguments.rows, arguments.keys) = (Int64(rows), Int64(keys))
        (arguments.depth, arguments.columns) = (Int64(depth), Int64(columns))
        arguments.scale = Float(scale)
        (arguments.q_view, arguments.k_view) = (view(q, sharesHeads: false), view(k, sharesHeads: true))
        (arguments.v_view, arguments.y_view) = (view(v, sharesHeads: true), view(y, sharesHeads: false))
        return arguments
    }

    /// - Parameter scores: where `[B, H, M, L]` of one stage goes.
    func run<T: AttentionElement>(
        q: UnsafePointer<T>, k: UnsafePointer<T>, v: UnsafePointer<T>, y: UnsafeMutablePointer<T>, bias: KeyBias?,
        padding: KeyBias? = nil, spans: KeySpans, scores: (to: UnsafeMutablePointer<T>, stage: Stage)? = nil,
        scratch: UnsafeMutableRawPointer?, _ context: RunContext
    ) throws(SardonyxError) {
        guard batch > 0, heads > 0, keyHeads > 0, rows > 0 else { return }
        if rounding == nil, bias == nil, padding == nil, spans.isUnlimited, scores == nil, softcap == 0, keys > 0,
            columns > 0,
            let q = q as? UnsafePointer<Float>, let k = k as? UnsafePointer<Float>, let v = v as? UnsafePointer<Float>,
            let y = y as? UnsafeMutablePointer<Float>
        {
            var arguments = kernelArguments
            for index in 0..<batch {
                (arguments.q, arguments.k) = (q + index * self.q.batch, k + index * self.k.batch)
                (arguments.v, arguments.y) = (v + index * self.v.batch, y + index * self.y.batch)
                sx_attention(&arguments, scratch, Int32(context.threads))
            }
            return
        }
        guard let scratch, let block = scoreByteCount(MemoryLayout<T>.stride) else { return }
        let table = scratch.assumingMemoryBound(to: T.self)
        for unit in 0..<batch * heads {
            let (b, h) = (unit / heads, unit % heads)
            let group = h / (heads / keyHeads)
            for first in stride(from: 0, to: rows, by: AttentionForm.blockRows) {
                try context.interruption?.check()
                let count = min(AttentionForm.blockRows, rows - first)
                var product = HeadProduct(
                    m: count, n: keys, k: depth, alpha: scale,
                    a: q + b * self.q.batch + h * self.q.head + first * self.q.row, lda: self.q.row,
                    b: k + b * self.k.batch + group * self.k.head, ldb: self.k.row, transposesB: true, c: table,
                    ldc: keys)
                let free = rounding.map { scaleAndRound(&product, $0, in: scratch + block) } ?? scratch + block
                T.multiply(product, scratch: free, threads: context.threads)
                round(table, count * keys)
                for row in 0..<count {
                    let shown = scores.map { ($0.to + (unit * rows + first + row) * keys, $0.stage) }
                    try weigh(table + row * keys, batch: b, head: h, row: first + row, (bias, padding), spans, shown)
                }
                T.multiply(
                    HeadProduct(
                        m: count, n: columns, k: keys, a: UnsafePointer(table), lda: keys,
                        b: v + b * self.v.batch + group * self.v.head, ldb: self.v.row,
                        c: y + b * self.y.batch + h * self.y.head + first * self.y.row, ldc: self.y.row),
                    scratch: scratch + block, threads: context.threads)
            }
        }
    }

    private func round<T>(_ numbers: UnsafeMutablePointer<T>, _ count: Int) {
        if let rounding, let numbers = numbers as? UnsafeMutablePointer<Float> { rounding.round(numbers, count) }
    }

    /// Replaces both factors by copies that are multiplied with the rounded square root of the scale, and rounded.
    /// - Returns: the scratch memory behind the copies.
    private func scaleAndRound<T: AttentionElement>(
        _ product: inout HeadProduct<T>, _ rounding: HalfRounding, in scratch: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let factor = T(rounding.rounded(Float(scale.squareRoot())))
        var free = scratch.assumingMemoryBound(to: T.self)
        func copy(_ source: UnsafePointer<T>, _ rows: Int, _ stride: Int) -> UnsafePointer<T> {
            let target = free
            for row in 0..<rows {
                for column in 0..<depth { target[row * depth + column] = source[row * stride + column] * factor }
            }
            round(target, rows * depth)
            free += rows * depth
            return UnsafePointer(target)
        }
        product.a = copy(product.a, product.m, product.lda)
        product.b = copy(product.b, product.n, product.ldb)
        (product.lda, product.ldb, product.alpha) = (depth, depth, 1)
        let used = UnsafeMutableRawPointer(free)
        return scratch + (used - scratch + 63) / 64 * 64
    }

    /// Y from probabilities `[B, H, M, L]` that someone else made.
    func combine<T: AttentionElement>(
        _ probabilities: UnsafePointer<T>, v: UnsafePointer<T>, y: UnsafeMutablePointer<T>,
        scratch: UnsafeMutableRawPointer?, _ context: RunContext
    ) throws(SardonyxError) {
        guard keyHeads > 0 else { return }
        for unit in 0..<batch * heads {
            let (b, h) = (unit / heads, unit % heads)
            for first in stride(from: 0, to: rows, by: AttentionForm.blockRows) {
                try context.interruption?.check()
                T.multiply(
                    HeadProduct(
                        m: min(AttentionForm.blockRows, rows - first), n: columns, k: keys,
                        a: probabilities + (unit * rows + first) * keys, lda: keys,
                        b: v + b * self.v.batch + h / (heads / keyHeads) * self.v.head, ldb: self.v.row,
                        c: y + b * self.y.batch + h * self.y.head + first * self.y.row, ldc: self.y.row),
                    scratch: scratch, threads: context.threads)
            }
        }
    }

    /// Turns the scaled products of one query into probabilities; zeros when it may see no key.
    private func weigh<T: AttentionElement>(
        _ row: UnsafeMutablePointer<T>, batch: Int, head: Int, row index: Int, _ biases: (KeyBias?, KeyBias?),
        _ spans: KeySpans,
        _ shown: (to: UnsafeMutablePointer<T>, stage: Stage)?
    ) throws(SardonyxError) {
        func show(_ stage: Stage) {
            if let shown, shown.stage == stage { shown.to.update(from: row, count: keys) }
        }
        show(.product)
        if softcap > 0 {
            let cap = T(softcap)
            for key in 0..<keys { row[key] /= cap }
            round(row, keys)
            for key in 0..<keys { row[key] = T.hyperbolicTangent(row[key]) }
            round(row, keys)
            for key in 0..<keys { row[key] *= cap }
            round(row, keys)
        }
        show(.capped)
        let span = spans.span(batch: batch, row: index, rows: rows, keys: keys)
        row.update(repeating: -T.infinity, count: span.lowerBound)
        (row + span.upperBound).update(repeating: -T.infinity, count: keys - span.upperBound)
        try biases.0?.add(to: row, batch: batch, head: head, row: index, keys: span)
        try biases.1?.add(to: row, batch: batch, head: head, row: index, keys: span)
        round(row, keys)
        show(.biased)
        if span.contains(where: { row[$0] != -T.infinity }) {
            row.update(repeating: 0, count: span.lowerBound)
            (row + span.upperBound).update(repeating: 0, count: keys - span.upperBound)
            if let rounding, let row = row as? UnsafeMutablePointer<Float> {
                rounding.softmax(row + span.lowerBound, span.count)
            } else {
                T.softmax(row + span.lowerBound, span.count)
            }
        } else {
            row.update(repeating: 0, count: keys)
        }
        show(.softmax)
    }
}
