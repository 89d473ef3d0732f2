import TensorCore

/// What is added to the scores `[B, H, M, L]` of attention: a tensor that broadcasts to them. Of a bool tensor, false
/// leaves a key out; keys past its last axis are left out too.
struct KeyBias {
    private let view: TensorView
    private let strides: [Int]
    private let length: Int

    /// - Parameter view: rank 1 to 4, aligned at the last axes.
    init(_ view: TensorView) {
        self.view = view
        let own = view.shape.strides
        strides = (0..<4).map { axis in
            let mine = axis + view.shape.rank - 4
            return mine < 0 || view.shape[mine] == 1 ? 0 : own[mine]
        }
        length = view.shape.last ?? 0
    }

    /// Adds the bias of one row; scores of keys left out become -infinity.
    func add<T: AttentionElement>(
        to scores: UnsafeMutablePointer<T>, batch: Int, head: Int, row: Int, keys: Range<Int>
    ) throws(SardonyxError) {
        let first = batch * strides[0] + head * strides[1] + row * strides[2]
        switch view.dtype {
        case .float32: add(view.floats + first, to: scores, keys)
        case .float64: add(view.typed(Double.self) + first, to: scores, keys)
        case .bool:
            let allowed = view.typed(UInt8.self) + first
            for key in keys where !hasElement(key) || allowed[key * strides[3]] == 0 { scores[key] = -T.infinity }
        default:
            let body = Integers(bias: self, first: first, scores: scores, keys: keys)
            try withIntegerType(view.dtype, body)
        }
    }

    private struct Integers<S: AttentionElement>: IntegerBody {
        let bias: KeyBias
        let first: Int
        let scores: UnsafeMutablePointer<S>
        let keys: Range<Int>

        func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) throws(SardonyxError) {
            let added = bias.view.typed(T.self) + first
            for key in keys {
                scores[key] = bias.hasElement(key) ? scores[key] + S(added[key * bias.strides[3]]) : -S.infinity
            }
        }
    }

    private func hasElement(_ key: Int) -> Bool { key < length || (length == 1 && strides[3] == 0) }

    private func add<M: BinaryFloatingPoint, T: AttentionElement>(
        _ bias: UnsafePointer<M>, to scores: UnsafeMutablePointer<T>, _ keys: Range<Int>
    ) {
        for key in keys {
            // A score that is left out stays so even where it is NaN or infinite.
            let value = hasElement(key) ? bias[key * strides[3]] : -M.infinity
            scores[key] = value == -M.infinity ? -T.infinity : scores[key] + T(value)
        }
    }
}

/// The consecutive keys that each query may see: causal order, a window about the query's position, and a number of
/// valid keys for each batch.
struct KeySpans {
    var isCausal = false
    /// Keys before and after the query's position; `nil`: all.
    var left, right: Int?
    /// The position of the first query among the keys; with `lengths`, that follows from them.
    var offset = 0
    /// Valid keys of each batch.
    var lengths: UnsafePointer<Int64>?
    /// Whether the queries are the last of the valid keys.
    var alignsToLengths = true

    var isUnlimited: Bool { !isCausal && left == nil && right == nil && lengths == nil }

    func span(batch: Int, row: Int, rows: Int, keys: Int) -> Range<Int> {
        var (low, high) = (0, keys)
        var position = row + offset
        if let length = lengths?[batch] {
            high = Int(min(max(length, 0), Int64(keys)))
            if alignsToLengths { position = row + high - rows }
        }
        if isCausal { high = min(high, position + 1) }
        if let right, right < keys { high = min(high, position + right + 1) }
        if let left, left < keys + rows { low = max(low, position - left) }
        return low < high ? low..<high : 0..<0
    }
}
