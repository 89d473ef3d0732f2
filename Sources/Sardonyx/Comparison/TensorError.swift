import Glibc
import TensorCore

/// How far a tensor is from its reference.
///
/// Elements where both are finite count for the sums and the largest errors; the others must be the same kind (NaN,
/// +∞, −∞). Of complex tensors the real and imaginary parts are elements; of strings an element is right or wrong by 1.
public struct TensorError: Sendable, Hashable, Encodable {
    /// One element, by its place in the shape.
    public struct Element: Sendable, Hashable, Encodable {
        /// One index an axis.
        public let index: [Int]
        public let actual: Double
        public let reference: Double
    }

    /// Elements that are not finite.
    public struct NotFinite: Sendable, Hashable, Encodable {
        public var nan = 0
        public var infinite = 0
    }

    /// Elements that were compared.
    public let count: Int
    /// The largest |a − r|.
    public let maxAbsolute: Double
    /// The largest |a − r| / |r| of elements with r ≠ 0.
    public let maxRelative: Double
    /// The mean of |a − r|.
    public let meanAbsolute: Double
    /// The largest |r|.
    public let largestReference: Double
    /// Σa·r / √(Σa²·Σr²); 1 where both are all zero, 0 where one is.
    public let cosine: Double
    /// Signal to noise, 10·log₁₀(Σr² / Σ(a − r)²) in dB; infinite where nothing differs.
    public let decibels: Double
    /// The largest |a − r| / (atol + rtol·|r|); infinite where something differs that must be equal. Within tolerance
    /// up to 1.
    public let excess: Double
    /// Elements with an `excess` above 1.
    public let beyondCount: Int
    /// The element of the largest `excess`; `nil` where nothing differs.
    public let worst: Element?
    public let actualNotFinite: NotFinite
    public let referenceNotFinite: NotFinite
    /// The tolerance that counted.
    public let relativeTolerance: Double
    public let absoluteTolerance: Double

    public var isWithin: Bool { excess <= 1 }

    /// The largest |a − r| as a part of the reference's largest element.
    public var relativeToLargest: Double {
        maxAbsolute == 0 ? 0 : largestReference == 0 ? .infinity : maxAbsolute / largestReference
    }

    /// - Throws: `shape` for tensors of different shapes, `value` for element types that cannot be compared, `limit`
    ///   when there is no memory for the few kilobytes that it takes.
    public init(
        _ actual: Tensor, _ reference: Tensor, tolerance: Tolerance = Tolerance()
    ) throws(SardonyxError) {
        guard actual.shape == reference.shape else {
            throw SardonyxError(.shape, "", "shape", got: "\(actual.shape)", allowed: "\(reference.shape)")
        }
        let pair = try ElementPairs(actual, reference)
        var largest = 0.0
        try pair.forEach { _, _, r, _ in
            if r.isFinite { largest = max(largest, abs(r)) }
        }
        var sums = ErrorSums(tolerance.allowed(for: pair.coarserType, largest: largest))
        try pair.forEach { index, a, r, isSame in sums.add(index, a, r, isSame) }
        self.init(sums, largest, actual.shape, elementsPerIndex: pair.partsPerElement)
    }

    private init(_ sums: ErrorSums, _ largest: Double, _ shape: Shape, elementsPerIndex: Int) {
        count = sums.count
        maxAbsolute = sums.maxAbsolute
        maxRelative = sums.maxRelative
        meanAbsolute = sums.finiteCount == 0 ? 0 : sums.absoluteSum / Double(sums.finiteCount)
        largestReference = largest
        cosine = sums.cosine
        decibels = sums.decibels
        excess = sums.excess
        beyondCount = sums.beyondCount
        worst = sums.worst.map { worst in
            Element(
                index: Self.position(worst.index / elementsPerIndex, shape), actual: worst.actual,
                reference: worst.reference)
        }
        actualNotFinite = sums.actualNotFinite
        referenceNotFinite = sums.referenceNotFinite
        relativeTolerance = sums.allowed.relative
        absoluteTolerance = sums.allowed.absolute
    }

    private static func position(_ index: Int, _ shape: Shape) -> [Int] {
        zip(shape.dims, shape.strides).map { extent, stride in index / stride % max(extent, 1) }
    }
}

/// What a pass over two tensors adds up.
private struct ErrorSums {
    let allowed: TensorComparison
    var count = 0
    var finiteCount = 0
    var maxAbsolute = 0.0
    var maxRelative = 0.0
    var absoluteSum = 0.0
    var excess = 0.0
    var beyondCount = 0
    var worst: (index: Int, actual: Double, reference: Double)?
    var actualNotFinite = TensorError.NotFinite()
    var referenceNotFinite = TensorError.NotFinite()
    private var products = 0.0
    private var actualSquares = 0.0
    private var referenceSquares = 0.0
    private var errorSquares = 0.0

    init(_ allowed: TensorComparison) { self.allowed = allowed }

    /// - Parameter isSame: the elements are equal, whatever rounding to Double says.
    @inline(__always)
    mutating func add(_ index: Int, _ a: Double, _ r: Double, _ isSame: Bool) {
        count += 1
        guard a.isFinite, r.isFinite else { return addNotFinite(index, a, r) }
        finiteCount += 1
        products += a * r
        actualSquares += a * a
        referenceSquares += r * r
        guard !isSame else { return }
        // Integers beyond 2^53 may differ and yet be the same Double.
        let error = max(abs(a - r), a == r ? 1 : 0)
        absoluteSum += error
        errorSquares += error * error
        maxAbsolute = max(maxAbsolute, error)
        if r != 0 { maxRelative = max(maxRelative, error / abs(r)) }
        let bound = allowed.bound(for: r)
        note(index, a, r, bound == 0 ? .infinity : error / bound)
    }

    private mutating func addNotFinite(_ index: Int, _ a: Double, _ r: Double) {
        func note(_ value: Double, _ counts: inout TensorError.NotFinite) {
            if value.isNaN { counts.nan += 1 } else if value.isInfinite { counts.infinite += 1 }
        }
        note(a, &actualNotFinite)
        note(r, &referenceNotFinite)
        if !(a == r || (a.isNaN && r.isNaN)) { self.note(index, a, r, .infinity) }
    }

    private mutating func note(_ index: Int, _ a: Double, _ r: Double, _ excess: Double) {
        if excess > 1 { beyondCount += 1 }
        guard worst == nil || excess > self.excess else { return }
        self.excess = excess
        worst = (index, a, r)
    }

    var cosine: Double {
        if actualSquares == 0 || referenceSquares == 0 { return actualSquares == referenceSquares ? 1 : 0 }
        return products / (actualSquares.squareRoot() * referenceSquares.squareRoot())
    }

    var decibels: Double {
        if errorSquares == 0 { return beyondCount == 0 ? .infinity : 0 }
        return referenceSquares == 0 ? -.infinity : 10 * log10(referenceSquares / errorSquares)
    }
}
