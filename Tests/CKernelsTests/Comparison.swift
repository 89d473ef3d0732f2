import CKernels
import Glibc
import TestSupport
import Testing

/// How far `got` is from `exact`, in units of the last place that float32 has there. NaN for NaN and infinity for
/// what overflows count as 0; of the two neighbours of the overflow threshold either will do. So do subnormal results
/// and zero, which kernels take for the same.
func ulpError(_ got: Float, _ exact: Double) -> Double {
    if exact.isNaN { return got.isNaN ? 0 : .infinity }
    if got.isNaN { return .infinity }
    let nearest = Float(exact)
    if got == nearest || abs(Double(got) - exact) <= Double(Float.leastNormalMagnitude) { return 0 }
    if got.isInfinite || nearest.isInfinite {
        let other = got.isInfinite ? nearest : got
        return abs(other) > Float.greatestFiniteMagnitude / 1.00001 && (got < 0) == (exact < 0) ? 1 : .infinity
    }
    return abs(Double(got) - exact) / Double(nearest.ulp)
}

/// Expects |got - exact| <= `ulps` units of the last place or <= `absolute`, element by element.
func expectClose(
    _ got: [Float], _ exact: [Double], ulps: Double = 0, absolute: Double = 0, _ what: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(got.count == exact.count, "\(what())", sourceLocation: sourceLocation)
    for i in 0..<min(got.count, exact.count) {
        let close = ulpError(got[i], exact[i]) <= ulps || abs(Double(got[i]) - exact[i]) <= absolute
        if !close {
            Issue.record(
                "\(what()): element \(i) is \(got[i]), exactly \(exact[i]), \(ulpError(got[i], exact[i])) ulp",
                sourceLocation: sourceLocation)
            return
        }
    }
}

/// Equality of bits, except that any NaN equals any NaN.
func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count
        && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
}

/// Numbers where kernels go wrong: signed zeros, the ends of the normal range, infinities, NaN.
let specialFloats: [Float] = [
    0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5,
    .leastNormalMagnitude, -.leastNormalMagnitude, 1e-20, -1e-20, 88.7, 88.73, -87.5, -103.9, -104.1, 20, -20, 1e10,
    -1e10, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, .nan,
]

/// `values` with the special numbers spread over them.
func withSpecials(_ values: [Float], seed: UInt64) -> [Float] {
    var random = SeededRandom(seed)
    var result = values
    guard !result.isEmpty else { return result }
    for special in specialFloats { result[Int(random.next() % UInt64(result.count))] = special }
    return result
}
