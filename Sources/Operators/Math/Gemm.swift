import CKernels
import GraphIR
import TensorCore

/// ONNX Gemm (1, 6, 7, 9, 11, 13): y `[M, N]` = alpha op(a) op(b) + beta c, c broadcasting to y; where beta is 0, c is
/// not read, as in BLAS: its NaN stay out of y. `sardonyx.Gemm` and com.microsoft FusedGemm add an activation.
struct Gemm: Operator {
    static let elementTypes: [DType] = DType.wideNumbers
    private let alpha, beta: Float
    private let transposesA, transposesB: Bool
    private let activation: sx_activation
    private var products: MatrixProducts?
    private(set) var preparedInputs: [Int] = []

    init(_ node: NodeReader) throws(SardonyxError) {
        alpha = try node.float("alpha", default: 1)
        beta = try node.float("beta", default: 1)
        transposesA = try node.bool("transA", default: false)
        transposesB = try node.bool("transB", default: false)
        activation = try node.fusedActivation()
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [dtype], "b")
        try context.requireRank(0, 2...2, "a")
        try context.requireRank(1, 2...2, "b")
        let a = try context.shape(0)?.dims ?? [.unknown, .unknown]
        let b = try context.shape(1)?.dims ?? [.unknown, .unknown]
        let (m, k) = transposesA ? (a[1], a[0]) : (a[0], a[1])
        let (rows, n) = transposesB ? (b[1], b[0]) : (b[0], b[1])
        if let k = k.value, let rows = rows.value, k != rows {
            throw context.error(.shape, "inner extents of a and b", got: "\(k) and \(rows)", allowed: "equal")
        }
        let y = SymbolicShape([m, n])
        if context.hasInput(2) {
            try context.requireDType(2, [dtype], "c")
            if let c = try context.shape(2), let merged = try Broadcast.shape([y, c], at: context),
                merged.rank != 2 || zip(merged.dims, y.dims).contains(where: { $1.value != nil && $0 != $1 })
            {
                throw context.error(.shape, "c", got: "\(c)", allowed: "a shape that broadcasts to \(y)")
            }
        }
        return [Inferred(dtype, y)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (a, y) = (try context.input(0), try context.output(0).shape)
        var bias: MatrixProducts.Bias?
        if context.hasInput(2), beta != 0 {
            let strides = Broadcast.strides(of: try context.input(2).shape, in: y)
            bias = MatrixProducts.Bias(rowStride: strides[0], columnStride: strides[1], beta: beta)
        }
        var products = try MatrixProducts(
            m: y[0], n: y[1], k: a.shape[transposesA ? 0 : 1], transposesA: transposesA, transposesB: transposesB,
            alpha: alpha, bias: bias, activation: activation, dtype: a.dtype, threads: context.threads, at: context)
        if try products.pack(context.constant(1), batches: 1, context) { preparedInputs = [1] }
        self.products = products
    }

    var scratchByteCount: Int { products?.scratchByteCount ?? 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let b = context.hasInput(1) ? try context.input(1).pointer : nil
        let bias = context.hasInput(2) && beta != 0 ? try context.input(2).pointer : nil
        try products?.run(a: try context.input(0).pointer, b: b, bias: bias, c: try context.output(0).pointer, context)
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard let a = inputs.first ?? nil, let y = outputs.first ?? nil, a.shape.rank == 2 else { return 0 }
        return CheckedSize.product(y.shape.elementCount, a.shape[transposesA ? 0 : 1]) ?? .max
    }
}
