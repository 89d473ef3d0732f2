import TensorCore

/// An element type with arithmetic that never traps: integers wrap, floats follow IEEE 754.
package protocol NumericElement: TensorElement, Comparable, BitwiseCopyable {
    static var zero: Self { get }
    static var one: Self { get }
    static func wrappingSum(_ a: Self, _ b: Self) -> Self
    static func wrappingDifference(_ a: Self, _ b: Self) -> Self
    static func wrappingProduct(_ a: Self, _ b: Self) -> Self
    var isNaN: Bool { get }
    /// An integer that orders as the numbers do: both zeros are equal, NaN is above all.
    associatedtype Rank: FixedWidthInteger & BitwiseCopyable
    var rank: Rank { get }
}

extension NumericElement where Self: FixedWidthInteger {
    @inline(__always) package var rank: Self { self }
    package static var zero: Self { 0 }
    package static var one: Self { 1 }
    @inline(__always) package static func wrappingSum(_ a: Self, _ b: Self) -> Self { a &+ b }
    @inline(__always) package static func wrappingDifference(_ a: Self, _ b: Self) -> Self { a &- b }
    @inline(__always) package static func wrappingProduct(_ a: Self, _ b: Self) -> Self { a &* b }
    @inline(__always) package var isNaN: Bool { false }
}

extension NumericElement where Self: BinaryFloatingPoint {
    package static var zero: Self { 0 }
    package static var one: Self { 1 }
    @inline(__always) package static func wrappingSum(_ a: Self, _ b: Self) -> Self { a + b }
    @inline(__always) package static func wrappingDifference(_ a: Self, _ b: Self) -> Self { a - b }
    @inline(__always) package static func wrappingProduct(_ a: Self, _ b: Self) -> Self { a * b }
}

extension Int8: NumericElement {}
extension Int16: NumericElement {}
extension Int32: NumericElement {}
extension Int64: NumericElement {}
extension UInt8: NumericElement {}
extension UInt16: NumericElement {}
extension UInt32: NumericElement {}
extension UInt64: NumericElement {}

extension Float16: NumericElement {
    @inline(__always) package var rank: Int16 { isNaN ? .max : .rank(bits: Int16(bitPattern: bitPattern)) }
}

extension Float: NumericElement {
    @inline(__always) package var rank: Int32 { isNaN ? .max : .rank(bits: Int32(bitPattern: bitPattern)) }
}

extension Double: NumericElement {
    @inline(__always) package var rank: Int64 { isNaN ? .max : .rank(bits: Int64(bitPattern: bitPattern)) }
}

extension FixedWidthInteger {
    /// Of the bits of a floating-point number: sign and magnitude.
    @inline(__always) fileprivate static func rank(bits: Self) -> Self { bits < 0 ? .min &- bits : bits }
}

extension BFloat16: NumericElement {
    package static var zero: BFloat16 { BFloat16(0) }
    package static var one: BFloat16 { BFloat16(1) }
    package static func wrappingSum(_ a: BFloat16, _ b: BFloat16) -> BFloat16 { BFloat16(a.float + b.float) }
    package static func wrappingDifference(_ a: BFloat16, _ b: BFloat16) -> BFloat16 { BFloat16(a.float - b.float) }
    package static func wrappingProduct(_ a: BFloat16, _ b: BFloat16) -> BFloat16 { BFloat16(a.float * b.float) }
    package var isNaN: Bool { float.isNaN }
    package var rank: Int32 { float.rank }
}

/// Sixteen bytes moved as one element.
package typealias Word16 = SIMD2<UInt64>

/// A computation written once for several element types; `withNumericType` and its like pick the type.
/// A type of its own rather than a closure, so that the compiler makes one specialised body a type.
package protocol NumericBody {
    associatedtype Output
    func run<T: NumericElement>(_ type: T.Type) throws(SardonyxError) -> Output
}

package protocol IntegerBody {
    associatedtype Output
    func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) throws(SardonyxError) -> Output
}

/// A computation that moves elements without looking into them.
package protocol StorageBody {
    associatedtype Output
    func run<T>(_ type: T.Type) throws(SardonyxError) -> Output
}

extension DType {
    /// Types that `withNumericType` serves.
    package static let numeric: [DType] = integers + [.float16, .bfloat16, .float32, .float64]
    /// Types that `withIntegerType` serves.
    package static let integers: [DType] = [.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64]
    /// Types that index tensors may have.
    package static let indices: [DType] = [.int32, .int64]
}

/// Runs `body` with the in-memory type of a numeric `dtype`.
/// - Throws: `unsupported` for other element types, and what `body` throws.
package func withNumericType<Body: NumericBody>(_ dtype: DType, _ body: Body) throws(SardonyxError) -> Body.Output {
    switch dtype {
    case .float32: try body.run(Float.self)
    case .float64: try body.run(Double.self)
    case .float16: try body.run(Float16.self)
    case .bfloat16: try body.run(BFloat16.self)
    case _ where DType.integers.contains(dtype): try withIntegerType(dtype, OfIntegers(body: body))
    default: throw SardonyxError(.unsupported, "", "element type", got: "\(dtype)", allowed: "a number type")
    }
}

/// A numeric body on integers only.
private struct OfIntegers<Body: NumericBody>: IntegerBody {
    let body: Body

    func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) throws(SardonyxError) -> Body.Output {
        try body.run(type)
    }
}

/// Runs `body` with the in-memory type of an integer `dtype` of at least one byte.
/// - Throws: `unsupported` for other element types, and what `body` throws.
package func withIntegerType<Body: IntegerBody>(_ dtype: DType, _ body: Body) throws(SardonyxError) -> Body.Output {
    switch dtype {
    case .int8: try body.run(Int8.self)
    case .int16: try body.run(Int16.self)
    case .int32: try body.run(Int32.self)
    case .int64: try body.run(Int64.self)
    case .uint8: try body.run(UInt8.self)
    case .uint16: try body.run(UInt16.self)
    case .uint32: try body.run(UInt32.self)
    case .uint64: try body.run(UInt64.self)
    default: throw SardonyxError(.unsupported, "", "element type", got: "\(dtype)", allowed: "an integer type")
    }
}

/// Runs `body` with a type of the element's size, or with `String`.
package func withStorageType<Body: StorageBody>(_ dtype: DType, _ body: Body) throws(SardonyxError) -> Body.Output {
    if dtype == .string { return try body.run(String.self) }
    return switch dtype.byteSize {
    case 1: try body.run(UInt8.self)
    case 2: try body.run(UInt16.self)
    case 4: try body.run(UInt32.self)
    case 8: try body.run(UInt64.self)
    default: try body.run(Word16.self)
    }
}
