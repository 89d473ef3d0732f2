import TensorCore

/// How far a computed tensor may be from its reference: element by element |a − r| ≤ atol + rtol·|r|.
///
/// What is not given follows from the element type, see `allowed(for:largest:)`. Infinities must be the same, and NaN is
/// equal to NaN.
public struct Tolerance: Sendable, Hashable {
    /// Of the reference's element; `nil` takes the element type's.
    public var relative: Double?
    /// The same for every element; `nil` takes the relative part of the reference's largest element.
    public var absolute: Double?

    public init(relative: Double? = nil, absolute: Double? = nil) {
        self.relative = relative
        self.absolute = absolute
    }

    /// The relative tolerance of an element type, 0 for what must be equal.
    ///
    /// A sum of n products rounds by up to about √n units in the last place of its largest term, and a network of a
    /// hundred layers does so again and again: of float32 (2⁻²⁴) correct engines differ by 1e-6 to 4e-5 of a tensor's
    /// largest element, so that 1e-4 leaves room and any fault worth the name is far above. float16 (2⁻¹¹) and bfloat16
    /// (2⁻⁸) get five units, as they round every value once more than it is computed; narrower floats two of their
    /// steps. float64 gets the room for functions that are accurate to 1e-12.
    public static func relative(of dtype: DType) -> Double {
        switch dtype {
        case .float64, .complex128: 1e-9
        case .float32, .complex64: 1e-4
        case .float16: 5e-3
        case .bfloat16: 4e-2
        case .float8e4m3fn, .float8e4m3fnuz, .float6e2m3: 0.25
        case .float8e5m2, .float8e5m2fnuz, .float6e3m2, .float4e2m1: 0.5
        case .float8e8m0: 1
        default: 0
        }
    }

    /// The tolerance for tensors of an element type.
    ///
    /// Without `absolute`, its absolute part is the relative one of the reference's largest finite element: elements of
    /// a convolution or product that cancel to nearly nothing have the rounding errors of the terms they come from.
    /// - Parameter largest: the largest finite |r| of the reference.
    package func allowed(for dtype: DType, largest: Double) -> TensorComparison {
        let relative = relative ?? Self.relative(of: dtype)
        return TensorComparison(relative: relative, absolute: absolute ?? relative * largest)
    }
}
