import CKernels
import GraphIR
import TensorCore

/// ONNX MatMul (1, 9, 13): numpy.matmul. a `[…, M, K]`, b `[…, K, N]`; batch axes broadcast, a one-dimensional
/// operand is a row (a) or a column (b) whose axis is dropped from y. `sardonyx.MatMul` adds a bias of `[N]` elements (b
/// has two axes or more) and an activation, in float32.
struct MatMul: Operator {
    static let elementTypes: [DType] = DType.wideNumbers
    private let activation: sx_activation
    private var products: MatrixProducts?
    private(set) var preparedInputs: [Int] = []

    init(_ node: NodeReader) throws(SardonyxError) { activation = try node.fusedActivation() }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        guard context.node.domain == Domains.internal || !context.hasInput(2) else {
            throw context.error(.graph, "inputs", got: "\(context.inputs.count)", allowed: "2")
        }
        let dtype = try context.dtype(0)
        try context.requireDType(1, [dtype], "second input")
        guard let a = try context.shape(0), let b = try context.shape(1) else { return [Inferred(dtype, nil)] }
        return [Inferred(dtype, try Self.outputShape(a, b, at: context))]
    }

    /// The shape of the product; `nil` when it cannot be said.
    /// - Throws: `shape` for scalars, and for extents that do not fit.
    static func outputShape(
        _ a: SymbolicShape, _ b: SymbolicShape, at place: some NodePlace
    ) throws(SardonyxError) -> SymbolicShape? {
        guard a.rank > 0, b.rank > 0 else {
            throw place.error(.shape, "rank", got: "\(a) and \(b)", allowed: "1 or more", hint: nil)
        }
        let depth = (a.dims[a.rank - 1], b.dims[max(b.rank - 2, 0)])
        if let k = depth.0.value, let rows = depth.1.value, k != rows {
            throw place.error(.shape, "inner extents", got: "\(a) and \(b)", allowed: "equal", hint: nil)
        }
        let batch = try Broadcast.shape(
            [SymbolicShape(Array(a.dims.dropLast(2))), SymbolicShape(Array(b.dims.dropLast(2)))], at: place)
        guard var dims = batch?.dims else { return nil }
        if a.rank > 1 { dims.append(a.dims[a.rank - 2]) }
        if b.rank > 1 { dims.append(b.dims[b.rank - 1]) }
        return SymbolicShape(dims)
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (a, b) = (try context.input(0), try context.input(1))
        let m = a.shape.rank > 1 ? a.shape[a.shape.rank - 2] : 1
        let n = b.shape.rank > 1 ? b.shape[b.shape.rank - 1] : 1
        let k = a.shape[a.shape.rank - 1]
        let batchA = try context.shape(of: Array(a.shape.dims.dropLast(2)))
        let batchB = try context.shape(of: Array(b.shape.dims.dropLast(2)))
        let hasBias = context.hasInput(2)
        if hasBias, try context.input(2).shape.elementCount != n {
            throw context.error(.internal, "bias", got: "\(try context.input(2).shape)", allowed: "\(n) elements")
        }
        var products = try MatrixProducts(
            m: m, n: n, k: k, batchA: batchA, batchB: batchB,
            bias: hasBias ? MatrixProducts.Bias(rowStride: 0, columnStride: 1, beta: 1) : nil, activation: activation,
            dtype: a.dtype, threads: context.threads, at: context)
        if try products.pack(context.constant(1), batches: batchB.elementCount, context) { preparedInputs = [1] }
        self.products = products
    }

    var scratchByteCount: Int { products?.scratchByteCount ?? 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let b = context.hasInput(1) ? try context.input(1).pointer : nil
        let bias = context.hasInput(2) ? try context.input(2).pointer : nil
        try products?.run(a: try context.input(0).pointer, b: b, bias: bias, c: try context.output(0).pointer, context)
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard let a = inputs.first ?? nil, let y = outputs.first ?? nil, let k = a.shape.last else { return 0 }
        return CheckedSize.product(y.shape.elementCount, k) ?? .max
    }
}
