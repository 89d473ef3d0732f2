import CKernels
import Glibc
import TestSupport
import Testing

/// One function with its float64 reference and its bound: `ulps` units of the last place, or, where the function has
/// zeros or tails that float32 steps cannot follow, an error of `absolute` or of `scaled` times max(1, |x|).
private struct UnaryCase: Sendable {
    let name: String
    let f: sx_activation
    let ulps: Double
    let absolute: Double, scaled: Double
    let exact: @Sendable (Double) -> Double

    init(
        _ name: String, _ op: sx_unary_op, a: Float = 0, b: Float = 0, ulps: Double, absolute: Double = 0,
        scaled: Double = 0, _ exact: @escaping @Sendable (Double) -> Double
    ) {
        self.name = name
        f = sx_activation(op: op, a: a, b: b)
        self.ulps = ulps
        self.absolute = absolute
        self.scaled = scaled
        self.exact = exact
    }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
private func propagatingClip(_ x: Double, _ low: Double, _ high: Double) -> Double {
    x.isNaN ? x : min(max(x, low), high)
}
/// x / 6 is rounded twice where 1 / 6 is a float32 constant, so references take the float32 constants of the kernels.
private let sixth = Double(Float(1) / 6)

private let cases: [UnaryCase] = [
    .init("relu", SX_UNARY_RELU, ulps: 0) { $0.isNaN ? $0 : max($0, 0) },
    .init("leaky relu", SX_UNARY_LEAKY_RELU, a: 0.125, ulps: 0.5) { $0 < 0 ? 0.125 * $0 : $0 },
    .init("elu", SX_UNARY_ELU, a: 1.5, ulps: 5) { $0 < 0 ? 1.5 * expm1($0) : $0 },
    .init("selu", SX_UNARY_SELU, a: 1.5, b: 1.25, ulps: 5) { 1.25 * ($0 > 0 ? $0 : 1.5 * expm1($0)) },
    .init("celu", SX_UNARY_CELU, a: 2, ulps: 5, absolute: 3e-38) {
        $0.isNaN ? $0 : max(0, $0) + min(0, 2 * expm1($0 / 2))
    },
    .init("sigmoid", SX_UNARY_SIGMOID, ulps: 4, absolute: 1e-37, sigmoid),
    .init("tanh", SX_UNARY_TANH, ulps: 4, tanh),
    .init("exp", SX_UNARY_EXP, ulps: 2, exp),
    .init("log", SX_UNARY_LOG, ulps: 2) { $0 < 0 ? .nan : log($0) },
    .init("sqrt", SX_UNARY_SQRT, ulps: 0.5) { $0.squareRoot() },
    .init("reciprocal", SX_UNARY_RECIPROCAL, ulps: 0.5) { 1 / $0 },
    .init("abs", SX_UNARY_ABS, ulps: 0) { abs($0) },
    .init("neg", SX_UNARY_NEG, ulps: 0) { -$0 },
    .init("floor", SX_UNARY_FLOOR, ulps: 0) { $0.rounded(.down) },
    .init("ceil", SX_UNARY_CEIL, ulps: 0) { $0.rounded(.up) },
    .init("round", SX_UNARY_ROUND, ulps: 0) { $0.rounded(.toNearestOrEven) },
    .init("erf", SX_UNARY_ERF, ulps: 4, erf),
    .init("gelu", SX_UNARY_GELU, ulps: 4, scaled: 2e-7) {
        $0 == -.infinity ? 0 : $0 * (1 + erf($0 / 2.0.squareRoot())) / 2
    },
    .init("gelu tanh", SX_UNARY_GELU_TANH, ulps: 4, scaled: 3e-7) {
        $0 == -.infinity ? .nan : $0 * sigmoid(2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))
    },
    .init("silu", SX_UNARY_SILU, ulps: 5, absolute: 1e-35) { $0 == -.infinity ? .nan : $0 * sigmoid($0) },
    .init("swish", SX_UNARY_SWISH, a: 1.5, ulps: 5, scaled: 2e-7) {
        $0 == -.infinity ? .nan : $0 * sigmoid(1.5 * $0)
    },
    .init("hard sigmoid", SX_UNARY_HARD_SIGMOID, a: 0.25, b: 0.5, ulps: 1, scaled: 1e-7) {
        propagatingClip(0.25 * $0 + 0.5, 0, 1)
    },
    .init("hard swish", SX_UNARY_HARD_SWISH, ulps: 2, scaled: 1e-7) {
        $0 * propagatingClip($0 * sixth + 0.5, 0, 1)
    },
    .init("softplus", SX_UNARY_SOFTPLUS, ulps: 4) { max($0, 0) + log1p(exp(-abs($0))) + ($0.isNaN ? .nan : 0) },
    .init("softsign", SX_UNARY_SOFTSIGN, ulps: 2) { $0 / (1 + abs($0)) },
    .init("mish", SX_UNARY_MISH, ulps: 5, absolute: 1e-35) {
        if $0 > 30 { return $0 }
        return $0 == -.infinity ? .nan : $0 * tanh(log1p(exp($0)))
    },
    .init("sin", SX_UNARY_SIN, ulps: 2, absolute: 0x1p-24, sin),
    .init("cos", SX_UNARY_COS, ulps: 2, absolute: 0x1p-24, cos),
    .init("asin", SX_UNARY_ASIN, ulps: 3, asin),
    .init("acos", SX_UNARY_ACOS, ulps: 3, acos),
    .init("atan", SX_UNARY_ATAN, ulps: 3, atan),
    .init("clip", SX_UNARY_CLIP, a: -0.75, b: 6, ulps: 0) { propagatingClip($0, -0.75, 6) },
    .init("thresholded relu", SX_UNARY_THRESHOLDED_RELU, a: 0.5, ulps: 0) { $0 > 0.5 ? $0 : 0 },
    .init("sign", SX_UNARY_SIGN, ulps: 0) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
    .init("square", SX_UNARY_POW, a: 2, ulps: 0.5) { $0 * $0 },
    .init("cube", SX_UNARY_POW, a: 3, ulps: 1.5, absolute: 1e-44) { $0 * $0 * $0 },
    .init("power", SX_UNARY_POW, a: 0.3, ulps: 1) { pow($0, Double(Float(0.3))) },
    .init("scale and shift", SX_UNARY_SCALE_SHIFT, a: 1.5, b: -0.25, ulps: 2, scaled: 1e-7) { 1.5 * $0 - 0.25 },
    .init("identity", SX_UNARY_IDENTITY, ulps: 0) { $0 },
]

private func apply(_ f: sx_activation, _ x: [Float], edge: GuardedFloats.Edge = .end, threads: Int32 = 1) -> [Float] {
    let input = GuardedFloats(x, flushAt: edge)
    let output = GuardedFloats(x.count, flushAt: edge)
    sx_unary(f, input.pointer, output.pointer, Int64(x.count), threads)
    #expect(output.isIntact && sameBits(input.array, x))
    return output.array
}

@Suite struct UnaryTests {
    @Test(arguments: cases.indices) func staysWithinItsBound(_ index: Int) {
        let c = cases[index]
        var random = SeededRandom(UInt64(index))
        // Every exponent, and evenly over the ranges where the functions bend.
        let exponents = stride(from: -126, through: 127, by: 1).flatMap { e -> [Float] in
            let mantissas = random.floats(8, in: 1...2)
            return mantissas.enumerated().map { i, m in
                (i % 2 == 0 ? 1 : -1) * m * Float(sign: .plus, exponent: e, significand: 1)
            }
        }
        let x =
            withSpecials(
                random.floats(4000, in: -10...10) + random.floats(2000, in: -110...110)
                    + random.floats(1000, in: -1...1)
                    + exponents, seed: 7) + specialFloats
        atEveryIsaLevel { level in
            let y = apply(c.f, x)
            for i in x.indices {
                let exact = c.exact(Double(x[i]))
                let limit = max(c.absolute, c.scaled * max(1, abs(Double(x[i]))))
                if ulpError(y[i], exact) > c.ulps && !(abs(Double(y[i]) - exact) <= limit) {
                    Issue.record(
                        "\(c.name) at level \(level.rawValue): f(\(x[i])) = \(y[i]), exactly \(exact)"
                    )
                    return
                }
            }
        }
    }

    @Test func anElementsResultDoesNotDependOnItsPlaceOrTheThreads() {
        var random = SeededRandom(11)
        let x = withSpecials(random.floats(40_000, in: -12...12), seed: 3)
        atEveryIsaLevel { _ in
            for c in cases {
                let whole = apply(c.f, x)
                #expect(sameBits(whole, apply(c.f, x, threads: 3)), "\(c.name)")
                for n in 0...33 {
                    for edge in GuardedFloats.Edge.allCases {
                        let start = 37 * n
                        #expect(
                            sameBits(
                                apply(c.f, Array(x[start..<start + n]), edge: edge), Array(whole[start..<start + n])),
                            "\(c.name), \(n)")
                    }
                }
                let inPlace = GuardedFloats(Array(x[0..<1000]))
                sx_unary(c.f, inPlace.pointer, inPlace.pointer, 1000, 1)
                #expect(sameBits(inPlace.array, Array(whole[0..<1000])), "\(c.name) in place")
            }
        }
    }

    @Test func subnormalArgumentsCountAsThemselvesOrAsZero() {
        let x: [Float] = [
            .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude / 2, -.leastNormalMagnitude / 2,
        ]
        atEveryIsaLevel { _ in
            for c in cases {
                let y = apply(c.f, x)
                for (argument, result) in zip(x, y) {
                    let zero = Double(Float(signOf: argument, magnitudeOf: 0))
                    let limit = max(c.absolute, c.scaled)
                    let ok = [Double(argument), zero].contains { value in
                        let exact = c.exact(value)
                        return ulpError(result, exact) <= c.ulps || abs(Double(result) - exact) <= limit
                    }
                    #expect(ok, "\(c.name) of \(argument) is \(result)")
                }
            }
        }
    }

    @Test func nanStaysNanInEveryLane() {
        atEveryIsaLevel { _ in
            for c in cases where c.exact(.nan).isNaN {
                for lane in 0..<17 {
                    var x = [Float](repeating: 0.5, count: 17)
                    x[lane] = .nan
                    let y = apply(c.f, x)
                    for i in 0..<17 { #expect(y[i].isNaN == (i == lane), "\(c.name), lane \(lane)") }
                }
            }
        }
    }
}
