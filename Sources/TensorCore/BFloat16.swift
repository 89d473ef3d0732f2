/// The upper half of a float32: 8 bits of exponent, 7 of mantissa.
public struct BFloat16: TensorElement, BitwiseCopyable, Comparable, CustomStringConvertible {
    public static var dtype: DType { .bfloat16 }
    public let bits: UInt16

    public init(bits: UInt16) { self.bits = bits }

    /// Rounds to nearest, ties to even; NaN stays NaN.
    public init(_ value: Float) {
        let pattern = value.bitPattern
        if value.isNaN {
            self.bits = UInt16(truncatingIfNeeded: pattern >> 16) | 0x40
        } else {
            self.bits = UInt16(truncatingIfNeeded: (pattern &+ 0x7fff &+ ((pattern >> 16) & 1)) >> 16)
        }
    }

    /// The same number as a float32, exactly.
    public var float: Float { Float(bitPattern: UInt32(bits) << 16) }

    public static func == (a: BFloat16, b: BFloat16) -> Bool { a.float == b.float }
    public static func < (a: BFloat16, b: BFloat16) -> Bool { a.float < b.float }
    public var description: String { float.description }
}
