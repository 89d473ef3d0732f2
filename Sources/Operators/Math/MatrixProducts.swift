import CKernels
import GraphIR
import TensorCore

/// A batch of row-major products C[i] = f(alpha op(A[i]) op(B[i]) + beta bias) in any number type; the activation f is
/// for float32 only.
///
/// Unchecked, because the kernel's arguments hold pointers: the only one that is set between runs is to `packed`.
struct MatrixProducts: @unchecked Sendable {
    private let dtype: DType
    /// The form for the float32 kernel; pointers are filled in by `run`.
    private var arguments = sx_gemm_args()
    /// Element offsets of each product's operands where the batch axes do not walk evenly; else one entry.
    private var offsets: [(a: Int, b: Int)] = [(0, 0)]
    private var packed: Buffer?
    private(set) var scratchByteCount = 0

    /// A bias of `c`'s shape or one that broadcasts to it.
    struct Bias: Sendable {
        var rowStride: Int
        var columnStride: Int
        var beta: Float
    }
    private var bias: Bias?

    init(
        m: Int, n: Int, k: Int, batchA: Shape = .scalar, batchB: Shape = .scalar, transposesA: Bool = false,
        transposesB: Bool = false, alpha: Float = 1, bias: Bias? = nil,
        activation: sx_activation = sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0), dtype: DType, threads: Int,
        at context: PrepareContext
    ) throws(SardonyxError) {
        self.dtype = dtype
        self.bias = bias
        let batch = try Broadcast.shape([batchA, batchB], at: context)
        var (rows, batches) = (m, min(batch.elementCount, 1))
        if batchB.elementCount == 1, batchA == batch, !transposesA {
            // One B for all: the batches of A are rows of one tall matrix.
            rows = m * batchA.elementCount
        } else if m > 0, n > 0, batch.elementCount > 0 {
            try context.budget.check(CheckedSize.product(batch.elementCount, 32) ?? .max, for: context.node.label)
            let stridesA = Broadcast.strides(of: batchA, in: batch)
            let stridesB = Broadcast.strides(of: batchB, in: batch)
            offsets = [(0, 0)]
            for axis in batch.indices {
                offsets = offsets.flatMap { base in
                    (0..<batch[axis]).map {
                        (base.a + $0 * stridesA[axis] * m * k, base.b + $0 * stridesB[axis] * k * n)
                    }
                }
            }
            let step = offsets.count > 1 ? offsets[1] : (0, 0)
            if offsets.enumerated().allSatisfy({ $1.a == $0 * step.0 && $1.b == $0 * step.1 }) {
                batches = offsets.count
                (arguments.batch_stride_a, arguments.batch_stride_b) = (Int64(step.0), Int64(step.1))
                offsets = [(0, 0)]
            }
        }
        arguments.m = Int64(rows)
        arguments.n = Int64(n)
        arguments.k = Int64(k)
        arguments.batch = Int64(batches)
        arguments.alpha = alpha
        arguments.lda = Int64(transposesA ? m : k)
        arguments.ldb = Int64(transposesB ? k : n)
        arguments.ldc = Int64(n)
        arguments.batch_stride_c = Int64(rows * n)
        (arguments.transpose_a, arguments.transpose_b) = (transposesA, transposesB)
        arguments.activation = activation
        if let bias {
            arguments.beta = bias.beta
            arguments.bias_row_stride = Int64(bias.rowStride)
            arguments.bias_column_stride = Int64(bias.columnStride)
        }
        if dtype == .float32 { scratchByteCount = Int(sx_gemm_scratch_bytes(&arguments, Int32(threads))) }
        if dtype == .float64 {
            var double = doubleArguments
            scratchByteCount = Int(sx_gemm_f64_scratch_bytes(&double, Int32(threads)))
        }
    }

    /// The form for the float64 kernel, likewise without pointers.
    private var doubleArguments: sx_gemm_f64_args {
        var double = sx_gemm_f64_args()
        (double.m, double.n, double.k, double.batch) = (arguments.m, arguments.n, arguments.k, arguments.batch)
        (double.alpha, double.beta) = (Double(arguments.alpha), bias == nil ? 0 : Double(arguments.beta))
        (double.lda, double.ldb, double.ldc) = (arguments.lda, arguments.ldb, arguments.ldc)
        (double.batch_stride_a, double.batch_stride_b) = (arguments.batch_stride_a, arguments.batch_stride_b)
        double.batch_stride_c = arguments.batch_stride_c
        (double.transpose_a, double.transpose_b) = (arguments.transpose_a, arguments.transpose_b)
        return double
    }

    /// Packs a constant B that all products share; true when `run` will not read it.
    mutating func pack(_ constant: Constant?, batches: Int, _ context: PrepareContext) throws(SardonyxError) -> Bool {
        let (k, n) = (arguments.k, arguments.n)
        guard dtype == .float32, batches == 1, k > 0, n > 0, let constant else { return false }
        let bytes = Int(sx_gemm_packed_bytes(k, n))
        guard bytes >= 0 else { throw context.error(.limit, "packed weights overflow") }
        let (leading, transposed) = (arguments.ldb, arguments.transpose_b)
        packed = try context.weights.packed(constant, "gemm \(k) \(n) \(transposed)") {
            (tensor) throws(SardonyxError) in
            let buffer = try Buffer(byteCount: bytes)
            sx_gemm_pack_b(
                k, n, tensor.elements(of: Float.self).baseAddress, leading, transposed, buffer.pointer,
                Int32(context.threads))
            withExtendedLifetime(tensor) {}
            return buffer
        }
        arguments.packed_b = packed.map { UnsafeRawPointer($0.pointer) }
        scratchByteCount = Int(sx_gemm_scratch_bytes(&arguments, Int32(context.threads)))
        return true
    }

    /// - Parameters:
    ///   - bias: elements by the strides of `Bias`, shared by all products.
    ///   - scratch: `scratchByteCount` bytes, 64-byte aligned; `nil`: the node's.
    func run(
        a: UnsafeMutableRawPointer, b: UnsafeMutableRawPointer?, bias: UnsafeMutableRawPointer? = nil,
        c: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer? = nil, _ context: RunContext
    ) throws(SardonyxError) {
        guard arguments.m > 0, arguments.n > 0, arguments.batch > 0 else { return }
        let scratch = scratch ?? context.scratch
        for (index, offset) in offsets.enumerated() {
            let target = c + index * Int(arguments.m * arguments.n) * dtype.byteSize
            let from = a + offset.a * dtype.byteSize
            let with = b.map { $0 + offset.b * dtype.byteSize }
            if dtype == .float32 {
                var arguments = arguments
                arguments.a = UnsafePointer(from.assumingMemoryBound(to: Float.self))
                arguments.b = with.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
                arguments.bias = bias.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
                arguments.c = target.assumingMemoryBound(to: Float.self)
                sx_gemm(&arguments, scratch, Int32(context.threads))
            } else if dtype == .float64 {
                var arguments = doubleArguments
                arguments.a = UnsafePointer(from.assumingMemoryBound(to: Double.self))
                arguments.b = with.map { UnsafePointer($0.assumingMemoryBound(to: Double.self)) }
                arguments.c = target.assumingMemoryBound(to: Double.self)
                if let bias { fill(arguments.c, with: bias.assumingMemoryBound(to: Double.self)) }
                sx_gemm_f64(&arguments, scratch, Int32(context.threads))
            } else if let with {
                let product = Generic(products: self, a: from, b: with, bias: bias, c: target)
                try context.placing { () throws(SardonyxError) in try withNumber(dtype, product) }
            }
        }
    }

    /// Every product's C as the bias, which the float64 kernel scales and adds to.
    private func fill(_ c: UnsafeMutablePointer<Double>, with bias: UnsafeMutablePointer<Double>) {
        guard let form = self.bias else { return }
        let (rows, columns) = (Int(arguments.m), Int(arguments.n))
        for product in 0..<Int(arguments.batch) {
            for row in 0..<rows {
                let (to, from) = (c + (product * rows + row) * columns, bias + row * form.rowStride)
                for column in 0..<columns { to[column] = from[column * form.columnStride] }
            }
        }
    }

    /// Integers: a row of C is the sum of rows of B where these lie in one piece, else every element a sum of its own.
    private struct Generic: NumberBody {
        let products: MatrixProducts
        let a, b: UnsafeMutableRawPointer
        let bias: UnsafeMutableRawPointer?
        let c: UnsafeMutableRawPointer

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let g = products.arguments
            let (m, n, k) = (Int(g.m), Int(g.n), Int(g.k))
            let (rowA, columnA) = g.transpose_a ? (1, Int(g.lda)) : (Int(g.lda), 1)
            let (alpha, beta) = (T(saturating: Double(g.alpha)), T(saturating: Double(g.beta)))
            for i in 0..<Int(g.batch) {
                let a = a.assumingMemoryBound(to: T.self) + i * Int(g.batch_stride_a)
                let b = b.assumingMemoryBound(to: T.self) + i * Int(g.batch_stride_b)
                let c = c.assumingMemoryBound(to: T.self) + i * m * n
                for row in 0..<m {
                    let (a, c) = (a + row * rowA, c + row * n)
                    if g.transpose_b {
                        for column in 0..<n {
                            let b = b + column * Int(g.ldb)
                            var sum = T.zero
                            for depth in 0..<k {
                                sum = T.wrappingSum(sum, T.wrappingProduct(a[depth * columnA], b[depth]))
                            }
                            c[column] = sum
                        }
                    } else {
                        c.update(repeating: T.zero, count: n)
                        for depth in 0..<k {
                            let (factor, b) = (a[depth * columnA], b + depth * Int(g.ldb))
                            for column in 0..<n {
                                c[column] = T.wrappingSum(c[column], T.wrappingProduct(factor, b[column]))
                            }
                        }
                    }
                    if g.alpha != 1 { for column in 0..<n { c[column] = T.wrappingProduct(alpha, c[column]) } }
                    guard let form = products.bias, let bias = bias?.assumingMemoryBound(to: T.self) else { continue }
                    for column in 0..<n {
                        let value = T.wrappingProduct(beta, bias[row * form.rowStride + column * form.columnStride])
                        c[column] = T.wrappingSum(c[column], value)
                    }
                }
            }
        }
    }
}
