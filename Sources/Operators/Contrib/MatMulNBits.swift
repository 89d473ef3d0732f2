import CKernels
import GraphIR
import TensorCore

/// com.microsoft MatMulNBits: y `[…, N]` = a `[…, K]` Bᵀ + bias `[N]`, B `[N, K]` held as unsigned numbers of `bits` 2,
/// 4 or 8: `[N, K / block, block bits / 8]` bytes, low bits first. Each block has a scale `[N, K / block]` and a zero
/// point, packed alike (rows of whole bytes), by default the middle of the range.
///
/// Unchecked, because the kernel's arguments hold pointers; between runs none is set.
struct MatMulNBits: Operator, @unchecked Sendable {
    static let elementTypes: [DType] = [.float32, .float16, .bfloat16]
    private let rows, columns, bits, block: Int
    private let blocks: Int
    private var product = sx_gemm_args()
    private var gemmScratch = 0
    private(set) var scratchByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        columns = try node.required("K", try node.positive("K"))
        rows = try node.required("N", try node.positive("N"))
        bits = try node.int("bits", default: 4)
        block = try node.required("block_size", try node.positive("block_size"))
        guard [2, 4, 8].contains(bits), block >= 16, block % 16 == 0 else {
            throw node.error(
                .unsupported, "bits and block_size", got: "\(bits) and \(block)",
                allowed: "2, 4 or 8 and a multiple of 16")
        }
        guard !node.hasInput(4) else {
            throw node.error(.unsupported, "input g_idx", got: "one", allowed: "none")
        }
        blocks = (columns + block - 1) / block
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [.uint8], "weights")
        try context.requireDType(2, [dtype], "scales")
        if context.hasInput(3) { try context.requireDType(3, [.uint8], "zero points") }
        if context.hasInput(5) { try context.requireDType(5, [dtype], "bias") }
        let zeroBytes = CheckedSize.product(blocks, bits).map { ($0 + 7) / 8 }
        let wanted = [
            1: CheckedSize.product(rows, blocks, block / 8 * bits), 2: CheckedSize.product(rows, blocks),
            3: zeroBytes.flatMap { CheckedSize.product(rows, $0) }, 5: rows,
        ]
        for (index, count) in wanted where context.hasInput(index) {
            guard let dims = try context.shape(index)?.knownDims else { continue }
            guard let count, CheckedSize.product(dims) == count else {
                throw context.error(
                    .shape, "input \(index)", got: "\(dims)", allowed: "\(count ?? .max) elements in all")
            }
        }
        guard let a = try context.shape(0) else { return [Inferred(dtype, nil)] }
        guard let last = a.dims.last else {
            throw context.error(.shape, "input rank", got: "\(a)", allowed: "1 or more")
        }
        try context.requireEqual(last, .known(columns), "last axis of the input and K")
        return [Inferred(dtype, SymbolicShape(a.dims.dropLast() + [.known(rows)]))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let a = try context.input(0).shape
        product = sx_gemm_args(m: a.elementCount / columns, n: rows, k: columns, transposesB: true)
        if context.hasInput(5) {
            product.beta = 1
            product.bias_column_stride = 1
        }
        gemmScratch = Int(sx_gemm_scratch_bytes(&product, Int32(context.threads)))
        guard let first = CheckedSize.roundUp(gemmScratch, to: 64),
            let weights = CheckedSize.product(rows, columns, 4),
            let total = CheckedSize.sum(first, weights)
        else {
            throw context.error(
                .limit, "weights", got: "\(rows) x \(columns)", allowed: "2^48", hint: nil)
        }
        (gemmScratch, scratchByteCount) = (first, total)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard let scratch = context.scratch, product.m > 0 else { return }
        let weights = (scratch + gemmScratch).assumingMemoryBound(to: Float.self)
        let packed = try context.input(1).typed(UInt8.self)
        let scales = try context.input(2).floats
        let zeros = context.hasInput(3) ? try context.input(3).typed(UInt8.self) : nil
        for row in 0..<rows {
            try context.interruption?.check()
            for column in 0..<columns {
                let of = row * blocks + column / block
                let zero = zeros.map { number(column / block, in: $0 + row * ((blocks * bits + 7) / 8)) }
                let value = number(column % block, in: packed + of * (block / 8 * bits))
                weights[row * columns + column] = Float(value - (zero ?? 1 << (bits - 1))) * scales[of]
            }
        }
        var product = product
        product.a = UnsafePointer(try context.input(0).floats)
        product.b = UnsafePointer(weights)
        product.c = try context.output(0).floats
        if context.hasInput(5) { product.bias = UnsafePointer(try context.input(5).floats) }
        sx_gemm(&product, scratch, Int32(context.threads))
    }

    private func number(_ index: Int, in bytes: UnsafePointer<UInt8>) -> Int {
        let bit = index * bits
        return Int(bytes[bit / 8] >> UInt8(bit % 8)) & (1 << bits - 1)
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        CheckedSize.product(Int(product.m), rows, columns) ?? .max
    }
}
