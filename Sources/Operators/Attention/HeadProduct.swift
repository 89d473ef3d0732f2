import CKernels
import Glibc
import TensorCore

/// c `[M, N]` = alpha a `[M, K]` b `[K, N]`, or b `[N, K]` where `transposesB`; row-major with leading dimensions.
struct HeadProduct<T> {
    var m, n, k: Int
    var alpha: Double = 1
    var a: UnsafePointer<T>
    var lda: Int
    var b: UnsafePointer<T>
    var ldb: Int
    var transposesB = false
    var c: UnsafeMutablePointer<T>
    var ldc: Int
}

/// An element type with kernels for the products and the softmax of attention.
protocol AttentionElement: Number, BinaryFloatingPoint {
    static func multiply(_ product: HeadProduct<Self>, scratch: UnsafeMutableRawPointer?, threads: Int)
    /// Softmax in place.
    static func softmax(_ row: UnsafeMutablePointer<Self>, _ count: Int)
    static func hyperbolicTangent(_ x: Self) -> Self
    static func exponential(_ x: Self) -> Self
}

extension Float: AttentionElement {
    static func multiply(_ product: HeadProduct<Float>, scratch: UnsafeMutableRawPointer?, threads: Int) {
        var arguments = sx_gemm_args(m: product.m, n: product.n, k: product.k, transposesB: product.transposesB)
        arguments.alpha = Float(product.alpha)
        (arguments.a, arguments.lda) = (product.a, Int64(product.lda))
        (arguments.b, arguments.ldb) = (product.b, Int64(product.ldb))
        (arguments.c, arguments.ldc) = (product.c, Int64(product.ldc))
        sx_gemm(&arguments, scratch, Int32(threads))
    }

    static func softmax(_ row: UnsafeMutablePointer<Float>, _ count: Int) {
        sx_softmax(row, row, 1, Int64(count), 1, false, 1)
    }

    static func hyperbolicTangent(_ x: Float) -> Float { tanhf(x) }
    static func exponential(_ x: Float) -> Float { expf(x) }
}

extension Double: AttentionElement {
    static func multiply(_ product: HeadProduct<Double>, scratch: UnsafeMutableRawPointer?, threads: Int) {
        let (rowB, columnB) = product.transposesB ? (1, product.ldb) : (product.ldb, 1)
        for row in 0..<product.m {
            for column in 0..<product.n {
                var sum = 0.0
                for depth in 0..<product.k {
                    sum += product.a[row * product.lda + depth] * product.b[depth * rowB + column * columnB]
                }
                product.c[row * product.ldc + column] = product.alpha * sum
            }
        }
    }

    static func softmax(_ row: UnsafeMutablePointer<Double>, _ count: Int) {
        var largest = -Double.infinity
        for i in 0..<count { largest = max(largest, row[i]) }
        var sum = 0.0
        for i in 0..<count {
            row[i] = exp(row[i] - largest)
            sum += row[i]
        }
        for i in 0..<count { row[i] /= sum }
    }

    static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
    static func exponential(_ x: Double) -> Double { exp(x) }
}

extension sx_gemm_args {
    /// A product of plain operands, pointers unset.
    init(m: Int, n: Int, k: Int, transposesB: Bool) {
        self.init()
        (self.m, self.n, self.k, batch) = (Int64(m), Int64(n), Int64(k), 1)
        alpha = 1
        (lda, ldb, ldc) = (Int64(k), Int64(transposesB ? k : n), Int64(n))
        transpose_b = transposesB
        activation = sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0)
    }
}
