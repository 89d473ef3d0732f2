/// Size arithmetic that cannot overflow or trap. Nothing else multiplies dimensions.
package enum CheckedSize {
    /// The most elements a tensor may have: leaves room for any element size and padding in an `Int`.
    package static let maximumElements = 1 << 48

    /// The product of the factors, or `nil` if one is negative or it does not fit in an `Int`.
    package static func product(_ factors: some Sequence<Int>) -> Int? {
        var result = 1
        for factor in factors {
            guard factor >= 0 else { return nil }
            let (value, overflow) = result.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            result = value
        }
        return result
    }

    package static func product(_ factors: Int...) -> Int? { product(factors) }

    /// The sum of the terms, or `nil` if it does not fit in an `Int`.
    package static func sum(_ terms: some Sequence<Int>) -> Int? {
        var result = 0
        for term in terms {
            let (value, overflow) = result.addingReportingOverflow(term)
            guard !overflow else { return nil }
            result = value
        }
        return result
    }

    package static func sum(_ terms: Int...) -> Int? { sum(terms) }

    /// `value` rounded up to a multiple of `multiple` (> 0), or `nil` on overflow.
    package static func roundUp(_ value: Int, to multiple: Int) -> Int? {
        guard value >= 0, multiple > 0, let padded = sum(value, multiple - 1) else { return nil }
        return padded / multiple * multiple
    }

    /// The float as an integer, truncated towards zero, or `nil` for NaN, infinities and values outside `Int`.
    /// Inlinable, because not specialised it takes a microsecond.
    @inlinable package static func integer<F: BinaryFloatingPoint>(_ value: F) -> Int? {
        Int(exactly: value.rounded(.towardZero))
    }
}
