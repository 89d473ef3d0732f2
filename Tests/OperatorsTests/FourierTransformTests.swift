import Glibc
import TensorCore
import Testing

@testable import Operators

/// The fast transform against the sum that defines it, computed directly in float64.
@Suite struct FourierTransformTests {
    private func directly(_ x: [Double]) -> [Double] {
        let n = x.count / 2
        var result: [Double] = []
        for k in 0..<n {
            var (real, imaginary) = (0.0, 0.0)
            for j in 0..<n {
                let angle = -2 * Double.pi * Double(j * k % n) / Double(n)
                real += x[2 * j] * cos(angle) - x[2 * j + 1] * sin(angle)
                imaginary += x[2 * j] * sin(angle) + x[2 * j + 1] * cos(angle)
            }
            result += [real, imaginary]
        }
        return result
    }

    /// Lengths of one radix, of several, and of prime factors above the largest radix.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 17, 30, 34, 49, 64, 97, 121, 143, 169, 221, 243, 360])
    func equalsTheSum(length: Int) {
        let transform = FourierTransform<Double>(length)
        let x = (0..<(2 * length)).map { sin(Double($0 * $0) * 0.37) }
        var data = x
        var work = [Double](repeating: .nan, count: transform.workCount)
        data.withUnsafeMutableBufferPointer { data in
            work.withUnsafeMutableBufferPointer { work in
                guard let data = data.baseAddress, let work = work.baseAddress else { return }
                transform.run(data, work)
            }
        }
        // Rounding grows with the logarithm of the length; the direct sum's with its square root.
        let tolerance = 1e-13 * Double(length)
        for (given, wanted) in zip(data, directly(x)) { #expect((given - wanted).magnitude <= tolerance) }
    }

    @Test func lengthsThatCannotBeAreErrors() throws {
        let x = try floats([1, 2, 3], [1, 3, 1])
        for length in [0, -4, 1 << 50, Int64.max] {
            #expect(NodeRunner("DFT", opset: 20).fault(x, try ints([length], []))?.code != nil)
        }
        #expect(NodeRunner("STFT").fault(x, try ints([0], []), nil, try ints([2], []))?.code == .value)
        #expect(NodeRunner("STFT").fault(x, try ints([1], []), nil, try ints([4], []))?.code == .value)
    }
}
