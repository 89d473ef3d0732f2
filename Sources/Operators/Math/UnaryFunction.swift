import CKernels
import Glibc
import TensorCore

/// A function of one number: an ONNX elementwise operator with its attributes read.
struct UnaryFunction: Sendable {
    /// The float32 kernel; `nil`: float32 is computed through `float64`.
    var kernel: sx_activation?
    var float64: @Sendable (Double) -> Double
    /// The form for integers, where the operator has one.
    var integer: Integer?

    enum Integer: Sendable { case absolute, negated, sign, relu }

    var dtypes: [DType] {
        switch integer {
        case nil: DType.floating
        case .negated, .relu: DType.signedNumbers
        case .absolute, .sign: DType.numeric
        }
    }

    /// Whether f(0) = 0, so that zero padding lanes stay zero.
    var keepsZero: Bool { float64(0) == 0 }

    init(
        _ op: sx_unary_op?, a: Float = 0, b: Float = 0, integer: Integer? = nil,
        _ float64: @escaping @Sendable (Double) -> Double
    ) {
        self.kernel = op.map { sx_activation(op: $0, a: a, b: b) }
        self.integer = integer
        self.float64 = float64
    }
}

/// The functions without attributes.
extension UnaryFunction {
    static let abs = UnaryFunction(SX_UNARY_ABS, integer: .absolute) { $0.magnitude }
    static let acos = UnaryFunction(SX_UNARY_ACOS, Glibc.acos)
    static let acosh = UnaryFunction(nil, Glibc.acosh)
    static let asin = UnaryFunction(SX_UNARY_ASIN, Glibc.asin)
    static let asinh = UnaryFunction(nil, Glibc.asinh)
    static let atan = UnaryFunction(SX_UNARY_ATAN, Glibc.atan)
    static let atanh = UnaryFunction(nil, Glibc.atanh)
    static let ceil = UnaryFunction(SX_UNARY_CEIL) { $0.rounded(.up) }
    static let cos = UnaryFunction(SX_UNARY_COS, Glibc.cos)
    static let cosh = UnaryFunction(nil, Glibc.cosh)
    static let erf = UnaryFunction(SX_UNARY_ERF, Glibc.erf)
    static let exp = UnaryFunction(SX_UNARY_EXP, Glibc.exp)
    static let floor = UnaryFunction(SX_UNARY_FLOOR) { $0.rounded(.down) }
    static let geluByErf = UnaryFunction(SX_UNARY_GELU) { $0 * (1 + Glibc.erf($0 / 2.0.squareRoot())) / 2 }
    static let geluByTanh = UnaryFunction(SX_UNARY_GELU_TANH) { x in
        x * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
    }
    static let hardSwish = UnaryFunction(SX_UNARY_HARD_SWISH) { $0 * clamped($0 / 6 + 0.5, 0, 1) }
    static let log = UnaryFunction(SX_UNARY_LOG, Glibc.log)
    static let mish = UnaryFunction(SX_UNARY_MISH) { $0 * Glibc.tanh(logOfOnePlusExp($0)) }
    static let neg = UnaryFunction(SX_UNARY_NEG, integer: .negated) { -$0 }
    static let reciprocal = UnaryFunction(SX_UNARY_RECIPROCAL) { 1 / $0 }
    static let relu = UnaryFunction(SX_UNARY_RELU, integer: .relu) { $0 < 0 ? 0 : $0 }
    static let round = UnaryFunction(SX_UNARY_ROUND) { $0.rounded(.toNearestOrEven) }
    static let sigmoid = UnaryFunction(SX_UNARY_SIGMOID, logistic)
    static let sign = UnaryFunction(SX_UNARY_SIGN, integer: .sign) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    static let silu = UnaryFunction(SX_UNARY_SILU) { $0 * logistic($0) }
    static let sin = UnaryFunction(SX_UNARY_SIN, Glibc.sin)
    static let sinh = UnaryFunction(nil, Glibc.sinh)
    static let softplus = UnaryFunction(SX_UNARY_SOFTPLUS, logOfOnePlusExp)
    static let softsign = UnaryFunction(SX_UNARY_SOFTSIGN) { $0 / (1 + $0.magnitude) }
    static let sqrt = UnaryFunction(SX_UNARY_SQRT) { $0.squareRoot() }
    static let tan = UnaryFunction(nil, Glibc.tan)
    static let tanh = UnaryFunction(SX_UNARY_TANH, Glibc.tanh)
}

/// The functions with attributes.
extension UnaryFunction {
    static func celu(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        let a = try node.float("alpha", default: 1)
        return UnaryFunction(SX_UNARY_CELU, a: a) { [a = Double(a)] x in max(0, x) + min(0, a * expm1(x / a)) }
    }

    static func elu(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        elu(alpha: try node.float("alpha", default: 1))
    }

    static func gelu(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        switch try node.string("approximate", default: "none") {
        case "none": return geluByErf
        case "tanh": return geluByTanh
        case let other:
            throw node.error(.unsupported, "attribute approximate", got: "'\(other)'", allowed: "'none', 'tanh'")
        }
    }

    static func hardSigmoid(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        hardSigmoid(alpha: try node.float("alpha", default: 0.2), beta: try node.float("beta", default: 0.5))
    }

    static func leakyRelu(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        leakyRelu(alpha: try node.float("alpha", default: 0.01))
    }

    /// The defaults of opset 1 differ in the last digits; those of opset 6 are the published constants.
    static func selu(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        let a = try node.float("alpha", default: node.opset < 6 ? 1.6732 : 1.67326319217681884765625)
        let b = try node.float("gamma", default: node.opset < 6 ? 1.0507 : 1.05070102214813232421875)
        return UnaryFunction(SX_UNARY_SELU, a: a, b: b) { [a = Double(a), b = Double(b)] x in
            x > 0 ? b * x : b * a * expm1(x)
        }
    }

    static func quickGelu(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        swish(alpha: try node.float("alpha", default: 1.702))
    }

    static func swish(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        swish(alpha: try node.float("alpha", default: 1))
    }

    private static func swish(alpha a: Float) -> UnaryFunction {
        UnaryFunction(SX_UNARY_SWISH, a: a) { [a = Double(a)] in $0 * logistic(a * $0) }
    }

    static func thresholdedRelu(_ node: NodeReader) throws(SardonyxError) -> UnaryFunction {
        thresholdedRelu(alpha: try node.float("alpha", default: 1))
    }
}

/// The functions with parameters.
extension UnaryFunction {
    static func affine(scale: Float, shift: Float) -> UnaryFunction {
        UnaryFunction(SX_UNARY_SCALE_SHIFT, a: scale, b: shift) { [a = Double(scale), b = Double(shift)] in a * $0 + b }
    }

    static func clip(_ low: Float, _ high: Float) -> UnaryFunction {
        UnaryFunction(SX_UNARY_CLIP, a: low, b: high) { [low = Double(low), high = Double(high)] in
            clamped($0, low, high)
        }
    }

    static func elu(alpha a: Float) -> UnaryFunction {
        UnaryFunction(SX_UNARY_ELU, a: a) { [a = Double(a)] x in x < 0 ? a * expm1(x) : x }
    }

    static func hardSigmoid(alpha a: Float, beta b: Float) -> UnaryFunction {
        UnaryFunction(SX_UNARY_HARD_SIGMOID, a: a, b: b) { [a = Double(a), b = Double(b)] in
            clamped(a * $0 + b, 0, 1)
        }
    }

    static func leakyRelu(alpha a: Float) -> UnaryFunction {
        UnaryFunction(SX_UNARY_LEAKY_RELU, a: a) { [a = Double(a)] in $0 < 0 ? a * $0 : $0 }
    }

    static func thresholdedRelu(alpha a: Float) -> UnaryFunction {
        UnaryFunction(SX_UNARY_THRESHOLDED_RELU, a: a) { [a = Double(a)] in $0 > a ? $0 : 0 }
    }
}

/// 1 / (1 + e^-x) without overflow.
@Sendable private func logistic(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }

/// log(1 + e^x) without overflow.
@Sendable private func logOfOnePlusExp(_ x: Double) -> Double { x.isNaN ? x : max(x, 0) + log1p(exp(-x.magnitude)) }

/// NaN stays NaN.
private func clamped(_ x: Double, _ low: Double, _ high: Double) -> Double { x < low ? low : x > high ? high : x }
