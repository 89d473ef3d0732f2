import CKernels
import TensorCore

/// An element type that recurrent layers compute with: by the kernels for products.
protocol RecurrentElement: Number, BinaryFloatingPoint {
    /// Bytes of weights `[n, k]` in the form that `multiply` reads; `nil` where the size overflows.
    static func packedByteCount(n: Int, k: Int) -> Int?
    static func pack(
        _ weights: UnsafePointer<Self>, n: Int, k: Int, into packed: UnsafeMutableRawPointer, threads: Int)
    static func multiplyScratch(m: Int, n: Int, k: Int, threads: Int) -> Int
    static func multiply(_ product: RecurrentProduct<Self>, scratch: UnsafeMutableRawPointer, threads: Int)
    static func apply(_ function: UnaryFunction, _ x: UnsafeMutablePointer<Self>, count: Int, threads: Int)
}

/// c `[m, n]` = a `[m, k]` times the transpose of packed weights `[n, k]`, plus bias `[n]` in every row.
struct RecurrentProduct<T> {
    let m, n, k: Int
    let a: UnsafePointer<T>
    let weights: UnsafeRawPointer
    var bias: UnsafePointer<T>?
    let c: UnsafeMutablePointer<T>
}

extension Float: RecurrentElement {
    static func packedByteCount(n: Int, k: Int) -> Int? {
        let bytes = sx_gemm_packed_bytes(Int64(k), Int64(n))
        return bytes < 0 ? nil : Int(bytes)
    }

    static func pack(
        _ weights: UnsafePointer<Float>, n: Int, k: Int, into packed: UnsafeMutableRawPointer, threads: Int
    ) {
        sx_gemm_pack_b(Int64(k), Int64(n), weights, Int64(k), true, packed, Int32(threads))
    }

    private static func arguments(m: Int, n: Int, k: Int, weights: UnsafeRawPointer?) -> sx_gemm_args {
        var arguments = sx_gemm_args()
        (arguments.m, arguments.n, arguments.k) = (Int64(m), Int64(n), Int64(k))
        arguments.batch = 1
        (arguments.alpha, arguments.beta) = (1, 1)
        (arguments.lda, arguments.ldb, arguments.ldc) = (Int64(k), Int64(n), Int64(n))
        arguments.packed_b = weights
        arguments.bias_column_stride = 1
        arguments.activation = sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0)
        return arguments
    }

    static func multiplyScratch(m: Int, n: Int, k: Int, threads: Int) -> Int {
        // Only whether the weights are packed counts here.
        var arguments = arguments(m: m, n: n, k: k, weights: UnsafeRawPointer(bitPattern: 64))
        return Int(sx_gemm_scratch_bytes(&arguments, Int32(threads)))
    }

    static func multiply(_ product: RecurrentProduct<Float>, scratch: UnsafeMutableRawPointer, threads: Int) {
        guard product.m > 0 else { return }
        var arguments = arguments(m: product.m, n: product.n, k: product.k, weights: product.weights)
        arguments.a = product.a
        arguments.bias = product.bias
        arguments.c = product.c
        sx_gemm(&arguments, scratch, Int32(threads))
    }

    static func apply(_ function: UnaryFunction, _ x: UnsafeMutablePointer<Float>, count: Int, threads: Int) {
        if let kernel = function.kernel {
            sx_unary(kernel, x, x, Int64(count), Int32(threads))
        } else {
            for i in 0..<count { x[i] = Float(function.float64(Double(x[i]))) }
        }
    }
}

extension Double: RecurrentElement {
    static func packedByteCount(n: Int, k: Int) -> Int? { CheckedSize.product(n, k, MemoryLayout<Double>.size) }

    static func pack(
        _ weights: UnsafePointer<Double>, n: Int, k: Int, into packed: UnsafeMutableRawPointer, threads: Int
    ) {
        // As [k, n] their rows are read where they lie while the rows of A are few.
        StridedCopy(dims: [k, n], sourceStrides: [1, k], destinationStrides: [n, 1])
            .run(from: weights, to: packed, .float64, threads: threads)
    }

    private static func arguments(m: Int, n: Int, k: Int) -> sx_gemm_f64_args {
        var arguments = sx_gemm_f64_args()
        (arguments.m, arguments.n, arguments.k) = (Int64(m), Int64(n), Int64(k))
        (arguments.batch, arguments.alpha) = (1, 1)
        (arguments.lda, arguments.ldb, arguments.ldc) = (Int64(k), Int64(n), Int64(n))
        return arguments
    }

    static func multiplyScratch(m: Int, n: Int, k: Int, threads: Int) -> Int {
        var arguments = arguments(m: m, n: n, k: k)
        return Int(sx_gemm_f64_scratch_bytes(&arguments, Int32(threads)))
    }

    static func multiply(_ product: RecurrentProduct<Double>, scratch: UnsafeMutableRawPointer, threads: Int) {
        guard product.m > 0 else { return }
        var arguments = arguments(m: product.m, n: product.n, k: product.k)
        arguments.beta = product.bias == nil ? 0 : 1
        arguments.a = product.a
        arguments.b = product.weights.assumingMemoryBound(to: Double.self)
        arguments.c = product.c
        if let bias = product.bias {
            for row in 0..<product.m { (product.c + row * product.n).update(from: bias, count: product.n) }
        }
        sx_gemm_f64(&arguments, scratch, Int32(threads))
    }

    static func apply(_ function: UnaryFunction, _ x: UnsafeMutablePointer<Double>, count: Int, threads: Int) {
        for i in 0..<count { x[i] = function.float64(x[i]) }
    }
}
