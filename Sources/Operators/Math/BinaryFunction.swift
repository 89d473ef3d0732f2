import CKernels
import Glibc
import TensorCore

/// A function of two numbers: an ONNX elementwise operator.
enum BinaryFunction: Sendable {
    case add, subtract, multiply, divide, power, minimum, maximum, prelu
    /// The remainder with the sign of the divisor.
    case floorModulo
    /// The remainder with the sign of the dividend (attribute `fmod`).
    case truncatedModulo

    /// The float32 kernel, where there is one.
    var kernel: sx_binary_op? {
        switch self {
        case .add: SX_BINARY_ADD
        case .subtract: SX_BINARY_SUB
        case .multiply: SX_BINARY_MUL
        case .divide: SX_BINARY_DIV
        case .power: SX_BINARY_POW
        case .minimum: SX_BINARY_MIN
        case .maximum: SX_BINARY_MAX
        case .prelu: SX_BINARY_PRELU
        case .floorModulo, .truncatedModulo: nil
        }
    }

    var dtypes: [DType] {
        switch self {
        case .prelu, .power: DType.wideNumbers
        default: DType.numeric
        }
    }

    /// Whether an integer divisor of zero is an error.
    var divides: Bool {
        switch self {
        case .divide, .floorModulo, .truncatedModulo: true
        default: false
        }
    }

    /// Whether f(0, 0) = 0, so that zero padding lanes stay zero.
    var keepsZero: Bool { !divides && self != .power }

    /// Whether the two inputs may be exchanged.
    var commutes: Bool { self == .add || self == .multiply || self == .minimum || self == .maximum }

    /// f(a, b); integer divisors are not zero.
    @inline(__always)
    func callAsFunction<T: Number>(_ a: T, _ b: T) -> T {
        switch self {
        case .add: T.wrappingSum(a, b)
        case .subtract: T.wrappingDifference(a, b)
        case .multiply: T.wrappingProduct(a, b)
        case .divide: T.quotient(a, b)
        case .power: BinaryFunction.raised(a, b)
        case .minimum: T.minimum(a, b)
        case .maximum: T.maximum(a, b)
        case .prelu: a < T.zero ? T.wrappingProduct(a, b) : a
        case .floorModulo: BinaryFunction.floorModulo(a, b)
        case .truncatedModulo: T.remainder(a, b)
        }
    }

    /// Integers by repeated squaring modulo 2^n, as numpy does; a negative exponent gives 0 unless |a| is 1.
    static func raised<T: Number>(_ a: T, _ b: T) -> T {
        guard T.isInteger else { return T(saturating: pow(a.asDouble, b.asDouble)) }
        if b < T.zero {
            let odd = T.remainder(b, T(saturating: 2)) != T.zero
            return a == T.one ? a : a.absolute == T.one ? (odd ? a : T.one) : T.zero
        }
        let two = T(saturating: 2)
        var (result, base, rest) = (T.one, a, b)
        while rest > T.zero {
            if T.remainder(rest, two) != T.zero { result = T.wrappingProduct(result, base) }
            base = T.wrappingProduct(base, base)
            rest = T.quotient(rest, two)
        }
        return result
    }

    private static func floorModulo<T: Number>(_ a: T, _ b: T) -> T {
        let remainder = T.remainder(a, b)
        if remainder == T.zero {
            // ONNX 28: a zero result takes the divisor's sign.
            return T.isInteger || b.isNaN ? remainder : b < T.zero ? T(saturating: -0.0) : T.zero
        }
        return (remainder < T.zero) != (b < T.zero) && !remainder.isNaN ? T.wrappingSum(remainder, b) : remainder
    }
}
