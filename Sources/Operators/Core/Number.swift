import TensorCore

/// Element types that mathematical operators compute with, beyond the arithmetic of `NumericElement`.
///
/// float16 and bfloat16 are not among them: `HalfPrecision` computes them in float32.
protocol Number: NumericElement {
    /// The largest and the least value; infinities for floating point.
    static var greatest: Self { get }
    static var least: Self { get }
    /// a / b truncated towards zero; b is not zero for integers; MIN / -1 wraps.
    static func quotient(_ a: Self, _ b: Self) -> Self
    /// The remainder with the sign of `a` (C's fmod); b is not zero for integers; MIN, -1 gives 0.
    static func remainder(_ a: Self, _ b: Self) -> Self
    var asDouble: Double { get }
    /// Truncates towards zero and saturates; NaN gives 0.
    init(saturating value: Double)
}

extension Number {
    static var isInteger: Bool { dtype.isInteger }

    /// The greater one; NaN if either is NaN.
    static func maximum(_ a: Self, _ b: Self) -> Self { a.isNaN ? a : b.isNaN || a < b ? b : a }
    /// The lesser one; NaN if either is NaN.
    static func minimum(_ a: Self, _ b: Self) -> Self { a.isNaN ? a : b.isNaN || b < a ? b : a }
    /// |x|; MIN wraps to itself.
    var absolute: Self { self < Self.zero ? Self.wrappingDifference(Self.zero, self) : self }
}

extension Number where Self: FixedWidthInteger {
    static var greatest: Self { .max }
    static var least: Self { .min }
    static func quotient(_ a: Self, _ b: Self) -> Self { a.dividedReportingOverflow(by: b).partialValue }
    static func remainder(_ a: Self, _ b: Self) -> Self { a.remainderReportingOverflow(dividingBy: b).partialValue }
    var asDouble: Double { Double(self) }
    init(saturating value: Double) {
        if let exact = Self(exactly: value.rounded(.towardZero)) {
            self = exact
        } else {
            self = value.isNaN ? 0 : value < 0 ? .min : .max
        }
    }
}

extension Number where Self: BinaryFloatingPoint {
    static var greatest: Self { .infinity }
    static var least: Self { -.infinity }
    static func quotient(_ a: Self, _ b: Self) -> Self { a / b }
    static func remainder(_ a: Self, _ b: Self) -> Self { a.truncatingRemainder(dividingBy: b) }
    var asDouble: Double { Double(self) }
    init(saturating value: Double) { self = Self(value) }
}

extension Float: Number {}
extension Double: Number {}
extension Int8: Number {}
extension Int16: Number {}
extension Int32: Number {}
extension Int64: Number {}
extension UInt8: Number {}
extension UInt16: Number {}
extension UInt32: Number {}
extension UInt64: Number {}

/// A computation written once for all `Number` types.
protocol NumberBody {
    associatedtype Output
    func run<T: Number>(_ type: T.Type) throws(SardonyxError) -> Output
}

/// Runs `body` with the in-memory type of `dtype`; bool counts as uint8.
/// - Throws: `unsupported` for other element types, and what `body` throws.
func withNumber<Body: NumberBody>(_ dtype: DType, _ body: Body) throws(SardonyxError) -> Body.Output {
    switch dtype {
    case .float32: try body.run(Float.self)
    case .float64: try body.run(Double.self)
    case .int8: try body.run(Int8.self)
    case .int16: try body.run(Int16.self)
    case .int32: try body.run(Int32.self)
    case .int64: try body.run(Int64.self)
    case .uint8, .bool: try body.run(UInt8.self)
    case .uint16: try body.run(UInt16.self)
    case .uint32: try body.run(UInt32.self)
    case .uint64: try body.run(UInt64.self)
    default: throw SardonyxError(.unsupported, "", "element type", got: "\(dtype)", allowed: "a number type")
    }
}

extension DType {
    static let floating: [DType] = [.float32, .float64, .float16, .bfloat16]
    static let signedNumbers: [DType] = floating + [.int8, .int16, .int32, .int64]
    static let wideNumbers: [DType] = floating + [.int32, .int64, .uint32, .uint64]
}
