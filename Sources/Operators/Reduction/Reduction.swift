import CKernels
import Glibc
import TensorCore

/// The reductions of ONNX, in the kernel and for the element types that have none.
enum Reduction: Sendable {
    case sum, mean, maximum, minimum, product, l1, l2, sumSquare, logSum, logSumExp

    var kernel: sx_reduce_op {
        switch self {
        case .sum: SX_REDUCE_SUM
        case .mean: SX_REDUCE_MEAN
        case .maximum: SX_REDUCE_MAX
        case .minimum: SX_REDUCE_MIN
        case .product: SX_REDUCE_PROD
        case .l1: SX_REDUCE_L1
        case .l2: SX_REDUCE_L2
        case .sumSquare: SX_REDUCE_SUM_SQUARE
        case .logSum: SX_REDUCE_LOG_SUM
        case .logSumExp: SX_REDUCE_LOG_SUM_EXP
        }
    }

    /// Reducing first by `first`, then by `then` along another axis gives the reduction along both.
    var stages: (first: Reduction, then: Reduction) {
        switch self {
        case .sumSquare: (.sumSquare, .sum)
        case .l1: (.l1, .sum)
        case .logSum: (.sum, .logSum)
        default: (self, self)
        }
    }

    /// y[o, i] = reduction of x[o, :, i] for some elements of y; x `[outer, axis, inner]`.
    func callAsFunction<T: Number>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, axis: Int, inner: Int, elements: Range<Int>
    ) {
        for element in elements {
            if inner == 1 {
                let line = x + element * axis
                y[element] = reduced(axis) { line[$0] }
            } else {
                let line = x + element / inner * axis * inner + element % inner
                y[element] = reduced(axis) { line[$0 * inner] }
            }
        }
    }

    @inline(__always)
    private func reduced<T: Number>(_ count: Int, _ element: (Int) -> T) -> T {
        func fold(_ start: T, _ step: (T, T) -> T) -> T {
            var result = start
            for i in 0..<count { result = step(result, element(i)) }
            return result
        }
        func total(_ value: (T) -> Double) -> Double {
            var result = 0.0
            for i in 0..<count { result += value(element(i)) }
            return result
        }
        switch self {
        case .sum: return fold(T.zero, T.wrappingSum)
        case .product: return fold(T.one, T.wrappingProduct)
        case .maximum: return fold(T.least, T.maximum)
        case .minimum: return fold(T.greatest, T.minimum)
        case .l1: return fold(T.zero) { T.wrappingSum($0, $1.absolute) }
        case .sumSquare: return fold(T.zero) { T.wrappingSum($0, T.wrappingProduct($1, $1)) }
        case .mean:
            guard T.isInteger else { return T(saturating: total(\.asDouble) / Double(count)) }
            return count == 0 ? T.zero : T.quotient(fold(T.zero, T.wrappingSum), T(saturating: Double(count)))
        case .l2: return T(saturating: total { $0.asDouble * $0.asDouble }.squareRoot())
        case .logSum: return T(saturating: log(total(\.asDouble)))
        case .logSumExp:
            let largest = fold(T.least, T.maximum).asDouble
            guard largest.isFinite else { return T(saturating: largest) }
            return T(saturating: largest + log(total { exp($0.asDouble - largest) }))
        }
    }
}
