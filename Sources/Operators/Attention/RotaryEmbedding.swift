import GraphIR
import TensorCore

/// ONNX RotaryEmbedding (23) and com.microsoft RotaryEmbedding: pairs of elements of each head turned by the angle of
/// their position. x `[B, H, L, D]` or `[B, L, H D]`; the pairs are the halves of the first `rotary_embedding_dim`
/// elements, or neighbours where `interleaved`.
///
/// Cosines and sines are `[positions, D / 2]` looked up by positions `[B, L]`, or `[B, L, D / 2]` without positions. In
/// com.microsoft positions are input 1, and where they are one number, that of the first element of every batch.
struct RotaryEmbedding: Operator {
    static let elementTypes: [DType] = DType.floating
    private let heads: Int?
    private let rotated: Int
    private let isInterleaved: Bool
    private let scale: Float
    /// The inputs that hold cosines, sines and positions.
    private let cosine, sine, position: Int
    private let allowsFirstPosition: Bool
    private var dims: [Int] = []
    private var view: AttentionForm.View?

    init(_ node: NodeReader) throws(SardonyxError) {
        let isStandard = node.node.domain == Domains.onnx
        let count = try node.int("num_heads", default: 0)
        guard count >= 0 else { throw node.error(.shape, "attribute num_heads", got: "\(count)", allowed: "0 or more") }
        heads = count > 0 ? count : nil
        rotated = try node.int("rotary_embedding_dim", default: 0)
        guard rotated >= 0, rotated % 2 == 0 else {
            throw node.error(.shape, "attribute rotary_embedding_dim", got: "\(rotated)", allowed: "even, 0 or more")
        }
        isInterleaved = try node.bool("interleaved", default: false)
        scale = isStandard ? 1 : try node.float("scale", default: 1)
        (cosine, sine, position) = isStandard ? (1, 2, 3) : (2, 3, 1)
        allowsFirstPosition = !isStandard
    }

    /// The heads that `[B, L, H D]` has; in com.microsoft they may follow from the cosines.
    private func heads(of x: SymbolicShape, cosines: SymbolicShape?) -> Int? {
        if heads != nil || x.rank != 3 { return heads }
        guard let hidden = x.dims[2].value, let half = cosines?.dims.last?.value, half > 0, hidden % (2 * half) == 0
        else { return nil }
        return hidden / (2 * half)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(cosine, [dtype], "cosines")
        try context.requireDType(sine, [dtype], "sines")
        if context.hasInput(position) { try context.requireDType(position, [.int64], "positions") }
        if let x = try context.shape(0) {
            try context.requireRank(0, 3...4, "input")
            try check(x, context)
        }
        return [Inferred(try context.input(0).type)]
    }

    private func check(_ x: SymbolicShape, _ context: InferContext) throws(SardonyxError) {
        let cosines = try context.shape(cosine)
        if x.rank == 3, heads(of: x, cosines: cosines) == nil, x.dims[2].value == nil || cosines == nil { return }
        let head = try HeadDims(x, heads: heads(of: x, cosines: cosines), "the input", at: context)
        guard let depth = head.depth.value else { return }
        let width = rotated > 0 ? rotated : depth
        guard width <= depth, width % 2 == 0 else {
            throw context.error(.shape, "rotated elements", got: "\(width)", allowed: "even, at most \(depth)")
        }
        for (index, role) in [(cosine, "cosines"), (sine, "sines")] {
            guard let table = try context.shape(index) else { continue }
            let rank = context.hasInput(position) ? 2 : 3
            guard table.rank == rank else {
                throw context.error(.shape, "\(role) rank", got: "\(table)", allowed: "rank \(rank)")
            }
            try context.requireEqual(table.dims[rank - 1], .known(width / 2), "last axis of \(role), rotated pairs")
            if rank == 3 {
                try context.requireEqual(table.dims[0], head.batch, "batch of \(role) and input")
                try context.requireEqual(table.dims[1], head.length, "length of \(role) and input")
            }
        }
        if context.hasInput(position), let shape = try context.shape(position) {
            if allowsFirstPosition, shape.dims.allSatisfy({ $0 == .known(1) }) { return }
            try context.requireRank(position, 2...2, "positions")
            try context.requireEqual(shape.dims[0], head.batch, "batch of positions and input")
            try context.requireEqual(shape.dims[1], head.length, "length of positions and input")
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = SymbolicShape(try context.input(0).shape)
        let table = SymbolicShape(try context.input(cosine).shape)
        let head = try HeadDims(x, heads: heads(of: x, cosines: table), "the input", at: context)
        dims = head.byHead.knownDims ?? []
        view = head.view()
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context)
        } else {
            try run(Float.self, context)
        }
    }

    private func run<T: AttentionElement>(_ type: T.Type, _ context: RunContext) throws(SardonyxError) {
        guard let view, dims.count == 4, !dims.contains(0) else { return }
        let (x, y) = (try context.input(0), try context.output(0))
        let (cosines, sines) = (try context.input(cosine), try context.input(sine))
        let positions = context.hasInput(position) ? try context.input(position) : nil
        let half = (rotated > 0 ? rotated : dims[3]) / 2
        let rotation = PairRotation(pairs: half, width: dims[3], isInterleaved: isInterleaved, scale: scale)
        let (dims, limit) = (dims, min(cosines.shape[0], sines.shape[0]))
        let isInside = try context.allInParallel(dims[0] * dims[2], cost: dims[1] * dims[3]) { places in
            let (x, y) = (x.typed(T.self), y.typed(T.self))
            var isInside = true
            for place in places {
                let (batch, row) = place.quotientAndRemainder(dividingBy: dims[2])
                var at = place
                if let positions {
                    at = Self.position(at: place, row: row, positions)
                    guard at >= 0, at < limit else {
                        isInside = false
                        continue
                    }
                }
                let (c, s) = (cosines.typed(T.self) + at * half, sines.typed(T.self) + at * half)
                for head in 0..<dims[1] {
                    let first = batch * view.batch + head * view.head + row * view.row
                    rotation.apply(x + first, to: y + first, cosines: c, sines: s)
                }
            }
            return isInside
        }
        guard !isInside, let positions else { return }
        let given = (0..<dims[0] * dims[2]).lazy.map { Self.position(at: $0, row: $0 % dims[2], positions) }
        throw context.error(
            .value, "position", got: given.first { !(0..<limit).contains($0) }.map { "\($0)" },
            allowed: "0 to \(cosines.shape[0] - 1)")
    }

    /// One position is that of the first row of every batch.
    private static func position(at place: Int, row: Int, _ positions: TensorView) -> Int {
        let ids = positions.typed(Int64.self)
        return positions.elementCount == 1 ? CheckedSize.sum(Int(ids[0]), row) ?? -1 : Int(ids[place])
    }
}
