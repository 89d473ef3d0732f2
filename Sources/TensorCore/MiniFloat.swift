/// Floating-point formats of 4, 6 or 8 bits, held one element a byte: the OCP 8-bit and microscaling formats and the
/// "fnuz" variants of ONNX (no negative zero, one NaN).
package struct MiniFloat: Sendable, Hashable {
    /// What the largest patterns mean.
    private enum Special: Sendable, Hashable {
        /// Infinities and NaNs in the top exponent, as in IEEE 754.
        case ieee
        /// Only all ones is NaN; no infinity.
        case allOnesNaN
        /// Only the pattern of negative zero is NaN; no infinity.
        case negativeZeroNaN
        /// Every pattern is a number.
        case finite
    }
    private let exponentBits: Int
    private let mantissaBits: Int
    private let bias: Int
    private let special: Special
    private let largest: Double

    private init(_ exponentBits: Int, _ mantissaBits: Int, bias: Int, _ special: Special, largest: Double) {
        self.exponentBits = exponentBits
        self.mantissaBits = mantissaBits
        self.bias = bias
        self.special = special
        self.largest = largest
    }

    /// The format of an element type; `nil` for types that are not such floats and for float8e8m0.
    package init?(_ dtype: DType) {
        switch dtype {
        case .float8e4m3fn: self.init(4, 3, bias: 7, .allOnesNaN, largest: 448)
        case .float8e4m3fnuz: self.init(4, 3, bias: 8, .negativeZeroNaN, largest: 240)
        case .float8e5m2: self.init(5, 2, bias: 15, .ieee, largest: 57344)
        case .float8e5m2fnuz: self.init(5, 2, bias: 16, .negativeZeroNaN, largest: 57344)
        case .float6e2m3: self.init(2, 3, bias: 1, .finite, largest: 7.5)
        case .float6e3m2: self.init(3, 2, bias: 3, .finite, largest: 28)
        case .float4e2m1: self.init(2, 1, bias: 1, .finite, largest: 6)
        default: return nil
        }
    }

    private var signBit: UInt8 { 1 << UInt8(exponentBits + mantissaBits) }

    /// The number that a pattern stands for, exactly.
    package func decode(_ code: UInt8) -> Double {
        let isNegative = code & signBit != 0
        let magnitude = Int(code & (signBit - 1))
        let exponent = magnitude >> mantissaBits
        let mantissa = magnitude & ((1 << mantissaBits) - 1)
        switch special {
        case .ieee where exponent == (1 << exponentBits) - 1:
            return mantissa == 0 ? (isNegative ? -.infinity : .infinity) : .nan
        case .allOnesNaN where magnitude == Int(signBit) - 1: return .nan
        case .negativeZeroNaN where isNegative && magnitude == 0: return .nan
        default: break
        }
        let significand = exponent == 0 ? mantissa : mantissa + 1 << mantissaBits
        let value = Double(
            sign: .plus, exponent: max(exponent, 1) - bias - mantissaBits, significand: Double(significand))
        return isNegative ? -value : value
    }

    /// The nearest pattern, ties to even.
    /// - Parameter saturate: numbers out of range, and infinities, become the largest number rather than infinity or NaN.
    package func encode(_ value: Double, saturate: Bool) -> UInt8 {
        let sign: UInt8 = value.sign == .minus ? signBit : 0
        if value.isNaN { return nan(sign) }
        let magnitude = value.magnitude
        if magnitude == 0 { return special == .negativeZeroNaN ? 0 : sign }
        let exponent = magnitude.isFinite ? max(Int(magnitude.exponent), 1 - bias) : 0
        let quantum = Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
        let steps = (magnitude / quantum).rounded(.toNearestOrEven)
        guard steps * quantum <= largest else {
            if saturate || special == .finite { return sign | code(of: largest) }
            return special == .ieee ? sign | UInt8(((1 << exponentBits) - 1) << mantissaBits) : nan(sign)
        }
        // A mantissa that rounded up to the next power of two carries into the exponent by itself.
        let code = UInt8((exponent + bias - 1) << mantissaBits + Int(steps))
        return special == .negativeZeroNaN && code == 0 ? 0 : sign | code
    }

    private func code(of number: Double) -> UInt8 { encode(number, saturate: true) }

    private func nan(_ sign: UInt8) -> UInt8 {
        switch special {
        case .ieee, .allOnesNaN: sign | (signBit - 1)
        case .negativeZeroNaN, .finite: signBit
        }
    }
}

/// float8e8m0: a power of two, the scale of microscaling formats; 255 is NaN.
package enum ScaleFloat {
    package enum Rounding: String, Sendable, CaseIterable {
        case up, down, nearest
    }

    package static func decode(_ code: UInt8) -> Double {
        code == 255 ? .nan : Double(sign: .plus, exponent: Int(code) - 127, significand: 1)
    }

    /// The magnitude as a power of two.
    /// - Parameter saturate: zero and numbers out of range become the nearest power rather than NaN.
    package static func encode(_ value: Double, saturate: Bool, rounding: Rounding) -> UInt8 {
        if value.isNaN { return 255 }
        let magnitude = value.magnitude
        guard magnitude.isFinite else { return saturate ? 254 : 255 }
        guard magnitude > 0 else { return saturate ? 0 : 255 }
        let isRaised =
            switch rounding {
            case .up: magnitude.significand > 1
            case .down: false
            case .nearest: magnitude.significand >= 1.5
            }
        let code = Int(magnitude.exponent) + 127 + (isRaised ? 1 : 0)
        guard (0...254).contains(code) else { return saturate ? (code < 0 ? 0 : 254) : 255 }
        return UInt8(code)
    }
}
