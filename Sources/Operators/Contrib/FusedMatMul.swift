import GraphIR
import TensorCore

/// com.microsoft FusedMatMul and TransposeMatMul: y = alpha op(a) op(b), where `transA` and `transB` swap the last two
/// axes and batch axes broadcast. A one-dimensional operand is a row (a) or a column (b), and is not transposed.
struct FusedMatMul: Operator {
    static let elementTypes: [DType] = DType.floating
    private let alpha: Float
    private let transposesA, transposesB: Bool
    private var products: MatrixProducts?
    private(set) var preparedInputs: [Int] = []

    init(_ node: NodeReader) throws(SardonyxError) {
        alpha = try node.float("alpha", default: 1)
        transposesA = try node.bool("transA", default: false)
        transposesB = try node.bool("transB", default: false)
        for name in ["transBatchA", "transBatchB"] where try node.bool(name, default: false) {
            throw node.error(.unsupported, "attribute \(name)", got: "1", allowed: "0")
        }
    }

    /// M, K of a and K, N of b.
    private func extents(_ a: [Dim], _ b: [Dim]) -> (m: Dim, k: Dim, rows: Dim, n: Dim)? {
        guard let lastA = a.last, let lastB = b.last else { return nil }
        let (m, k) =
            a.count == 1
            ? (.known(1), lastA) : transposesA ? (lastA, a[a.count - 2]) : (a[a.count - 2], lastA)
        let (rows, n) =
            b.count == 1
            ? (lastB, .known(1)) : transposesB ? (lastB, b[b.count - 2]) : (b[b.count - 2], lastB)
        return (m, k, rows, n)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [dtype], "second input")
        guard let a = try context.shape(0), let b = try context.shape(1) else {
            return [Inferred(dtype, nil)]
        }
        guard let extents = extents(a.dims, b.dims) else {
            throw context.error(.shape, "rank", got: "\(a) and \(b)", allowed: "1 or more")
        }
        try context.requireEqual(extents.k, extents.rows, "inner extents")
        let batch = try Broadcast.shape(
            [SymbolicShape(Array(a.dims.dropLast(2))), SymbolicShape(Array(b.dims.dropLast(2)))],
            at: context)
        guard var dims = batch?.dims else { return [Inferred(dtype, nil)] }
        if a.rank > 1 { dims.append(extents.m) }
        if b.rank > 1 { dims.append(extents.n) }
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (a, b) = (try context.input(0), try context.input(1))
        guard let extents = extents(a.shape.dims.map(Dim.known), b.shape.dims.map(Dim.known)),
            let m = extents.m.value, let k = extents.k.value, let n = extents.n.value
        else { return }
        let batchB = try context.shape(of: Array(b.shape.dims.dropLast(2)))
        var products = try MatrixProducts(
            m: m, n: n, k: k, batchA: try context.shape(of: Array(a.shape.dims.dropLast(2))),
            batchB: batchB,
            transposesA: transposesA && a.shape.rank > 1, transposesB: transposesB && b.shape.rank > 1,
            alpha: alpha,
            dtype: a.dtype, threads: context.threads, at: context)
        if try products.pack(context.constant(1), batches: batchB.elementCount, context) {
            preparedInputs = [1]
        }
        self.products = products
    }

    var scratchByteCount: Int { products?.scratchByteCount ?? 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let b = context.hasInput(1) ? try context.input(1).pointer : nil
        try products?.run(a: try context.input(0).pointer, b: b, c: try context.output(0).pointer, context)
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard inputs.count > 1, let a = inputs[0], let b = inputs[1], let y = outputs.first ?? nil,
            let k = extents(a.shape.dims.map(Dim.known), b.shape.dims.map(Dim.known))?.k.value
        else { return 0 }
        return CheckedSize.product(y.shape.elementCount, k) ?? .max
    }
}
