import CKernels
import Glibc
import TestSupport
import Testing

private typealias Reference = @Sendable (Float, Float) -> Float

/// Float32's own operations round correctly, so these references hold to the bit.
private let operations: [(sx_binary_op, Reference)] = [
    (SX_BINARY_ADD, { $0 + $1 }), (SX_BINARY_SUB, { $0 - $1 }), (SX_BINARY_MUL, { $0 * $1 }),
    (SX_BINARY_DIV, { $0 / $1 }),
    (SX_BINARY_MIN, { $0.isNaN || $1.isNaN ? .nan : ($0 < $1 ? $0 : $1) }),
    (SX_BINARY_MAX, { $0.isNaN || $1.isNaN ? .nan : ($0 > $1 ? $0 : $1) }),
    (SX_BINARY_POW, { powf($0, $1) }), (SX_BINARY_PRELU, { $0 < 0 ? $0 * $1 : $0 }),
]

private struct Broadcast: Sendable {
    let dims: [Int64], a: [Int64], b: [Int64]
}

private let broadcasts: [Broadcast] = [
    .init(dims: [], a: [], b: []),
    .init(dims: [0, 3], a: [3, 1], b: [3, 1]),
    .init(dims: [2, 3, 19], a: [57, 19, 1], b: [57, 19, 1]),
    .init(dims: [2, 3, 19], a: [57, 19, 1], b: [0, 0, 0]),
    .init(dims: [2, 3, 19], a: [0, 0, 0], b: [57, 19, 1]),
    .init(dims: [2, 3, 19], a: [57, 19, 1], b: [0, 1, 0]),  // channel
    .init(dims: [2, 5, 33], a: [0, 0, 1], b: [5, 1, 0]),
    .init(dims: [5, 33], a: [1, 5], b: [33, 1]),  // transposed a
    .init(dims: [4, 7], a: [14, 2], b: [-7, -1]),  // steps and reversal
    .init(dims: [2, 3, 5, 16], a: [240, 80, 16, 1], b: [0, 16, 0, 1]),  // blocked16 channel
    .init(dims: [3, 1, 4, 1, 5], a: [20, 9, 5, 9, 1], b: [1, 0, 0, 0, 0]),
    .init(dims: [1, 1, 1, 40_003], a: [7, 7, 7, 1], b: [0, 0, 0, 1]),
]

private func span(_ dims: [Int64], _ strides: [Int64]) -> (low: Int, count: Int) {
    var low = 0, high = 0
    for (d, s) in zip(dims, strides) {
        let reach = Int(max(d - 1, 0) * s)
        low += min(reach, 0)
        high += max(reach, 0)
    }
    return (-low, high - low + 1)
}

@Suite struct BinaryTests {
    @Test(arguments: broadcasts.indices) func broadcastsLikeTheReference(_ index: Int) {
        let c = broadcasts[index]
        let total = Int(c.dims.reduce(1, *))
        let (aLow, aCount) = span(c.dims, c.a), (bLow, bCount) = span(c.dims, c.b)
        var random = SeededRandom(UInt64(index))
        let aValues = withSpecials(random.floats(aCount, in: -4...4), seed: 1)
        let bValues = withSpecials(random.floats(bCount, in: -4...4), seed: 2)
        func offset(_ flat: Int, _ strides: [Int64]) -> Int {
            var rest = flat, result = 0
            for d in c.dims.indices.reversed() {
                result += rest % Int(c.dims[d]) * Int(strides[d])
                rest /= Int(c.dims[d])
            }
            return result
        }
        atEveryIsaLevel { level in
            for edge in GuardedFloats.Edge.allCases {
                let a = GuardedFloats(aValues, flushAt: edge), b = GuardedFloats(bValues, flushAt: edge)
                for (op, reference) in operations {
                    let y = GuardedFloats(total, flushAt: edge)
                    sx_binary(
                        op, a.pointer + aLow, b.pointer + bLow, y.pointer, Int32(c.dims.count), c.dims, c.a, c.b, 2)
                    let want = (0..<total).map {
                        reference(aValues[aLow + offset($0, c.a)], bValues[bLow + offset($0, c.b)])
                    }
                    let got = y.array
                    let equal = zip(got, want).allSatisfy {
                        $0 == $1 || ($0.isNaN && $1.isNaN) || ($0 == 0 && abs($1) < Float.leastNormalMagnitude)
                    }
                    #expect(equal && y.isIntact, "operation \(op.rawValue), level \(level.rawValue), case \(index)")
                }
            }
        }
    }

    @Test func writesOverEitherOperand() {
        var random = SeededRandom(5)
        let x = random.floats(1003), z = random.floats(1003)
        atEveryIsaLevel { _ in
            let a = GuardedFloats(x), b = GuardedFloats(z)
            sx_binary(SX_BINARY_ADD, a.pointer, b.pointer, a.pointer, 1, [1003], [1], [1], 1)
            #expect(a.array == zip(x, z).map { $0 + $1 })
            sx_binary(SX_BINARY_SUB, a.pointer, b.pointer, b.pointer, 1, [1003], [1], [1], 1)
            #expect(b.array == zip(a.array, z).map { $0 - $1 })
        }
    }
}
