import CKernels
import Glibc
import TestSupport
import Testing

private let columnCounts = Array(0...33) + [47, 48, 63, 64, 65, 81, 127, 128, 129, 1000]

@Suite struct ArgExtremeTests {
    /// Against a plain search, with ties, infinities and a NaN anywhere.
    @Test func firstOfTheExtremes() {
        atEveryIsaLevel { _ in
            var random = SeededRandom(11)
            for n in columnCounts where n > 0 {
                for special in [Float.nan, .infinity, -.infinity, 0] {
                    var x = random.floats(3 * n, in: -4...4).map { $0.rounded() }
                    x[Int(random.next() % UInt64(3 * n))] = special
                    for isGreatest in [true, false] {
                        var found = [Int64](repeating: -1, count: 3)
                        sx_arg_extreme(x, &found, 3, Int64(n), isGreatest, 2)
                        for row in 0..<3 {
                            let line = Array(x[row * n..<row * n + n])
                            let extreme = isGreatest ? line.max() : line.min()
                            let first = line.firstIndex { $0.isNaN } ?? line.firstIndex { $0 == extreme } ?? -1
                            #expect(found[row] == Int64(first), "\(n) \(special)")
                        }
                    }
                }
            }
        }
    }
}

@Suite struct ArgExtremeColumnsTests {
    /// Against a plain search, the first or the last of ties, with numbers that only their bits tell apart from zero.
    @Test func extremesOfColumns() {
        atEveryIsaLevel { _ in
            var random = SeededRandom(12)
            for inner in columnCounts where inner > 0 {
                for special in [Float.nan, -.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude] {
                    let (outer, axis) = (2, 5)
                    var x = random.floats(outer * axis * inner, in: -2...2).map { $0.rounded() }
                    for _ in 0..<inner { x[Int(random.next() % UInt64(x.count))] = special }
                    for (isGreatest, isLast) in [(true, false), (true, true), (false, false), (false, true)] {
                        var found = [Int64](repeating: -1, count: outer * inner)
                        sx_arg_extreme_columns(
                            x, &found, Int64(outer), Int64(axis), Int64(inner), isGreatest, isLast, 2)
                        for place in found.indices {
                            let first = place / inner * axis * inner + place % inner
                            let line = (0..<axis).map { x[first + $0 * inner] }
                            let extreme = isGreatest ? line.max() : line.min()
                            let isNaN = line.contains { $0.isNaN }
                            let places = line.indices.filter { isNaN ? line[$0].isNaN : line[$0] == extreme }
                            #expect(found[place] == Int64((isLast ? places.last : places.first) ?? -1), "\(line)")
                        }
                    }
                }
            }
        }
    }
}

@Suite struct SoftmaxTests {
    /// x - max, up to 40, is rounded to 2^-19 (half a step below 64), which exp turns into 32 ulp at most; exp itself,
    /// the sum in float64 blocks and two more roundings stay below 8. A logarithm is a difference: its error counts
    /// against its terms.
    private func check(outer: Int, axis: Int, inner: Int, logarithm: Bool, edge: GuardedFloats.Edge, seed: UInt64) {
        var random = SeededRandom(seed)
        let x = random.floats(outer * axis * inner, in: -20...20)
        let input = GuardedFloats(x, flushAt: edge), y = GuardedFloats(x.count, flushAt: edge)
        sx_softmax(input.pointer, y.pointer, Int64(outer), Int64(axis), Int64(inner), logarithm, 2)
        var exact = [Double](repeating: 0, count: x.count)
        for o in 0..<outer {
            for i in 0..<inner {
                let at = (0..<axis).map { (o * axis + $0) * inner + i }
                let top = at.map { Double(x[$0]) }.max() ?? 0
                let sum = at.reduce(0.0) { $0 + exp(Double(x[$1]) - top) }
                for j in at { exact[j] = logarithm ? Double(x[j]) - top - log(sum) : exp(Double(x[j]) - top) / sum }
            }
        }
        expectClose(y.array, exact, ulps: 40, absolute: logarithm ? 8e-6 : 0, "softmax [\(outer), \(axis), \(inner)]")
        #expect(y.isIntact)
        sx_softmax(input.pointer, input.pointer, Int64(outer), Int64(axis), Int64(inner), logarithm, 1)
        #expect(sameBits(input.array, y.array), "in place, one thread")
    }

    @Test func rows() {
        atEveryIsaLevel { _ in
            for (i, n) in columnCounts.enumerated() {
                for edge in GuardedFloats.Edge.allCases {
                    check(outer: 3, axis: n, inner: 1, logarithm: i % 2 == 0, edge: edge, seed: UInt64(n))
                }
            }
            check(outer: 200, axis: 81, inner: 1, logarithm: false, edge: .end, seed: 4)
        }
    }

    @Test func columns() {
        atEveryIsaLevel { _ in
            for inner in [2, 3, 15, 16, 17, 63, 64, 65, 130] {
                for logarithm in [false, true] {
                    check(outer: 2, axis: 9, inner: inner, logarithm: logarithm, edge: .end, seed: UInt64(inner))
                }
            }
            check(outer: 3, axis: 1, inner: 5, logarithm: false, edge: .start, seed: 2)
        }
    }

    @Test func specialValues() {
        atEveryIsaLevel { _ in
            for n in [5, 20] {
                for lane in 0..<n {
                    var x = [Float](repeating: 1, count: n)
                    x[lane] = .nan
                    var y = [Float](repeating: 0, count: n)
                    sx_softmax(x, &y, 1, Int64(n), 1, false, 1)
                    #expect(y.allSatisfy { $0.isNaN })
                    sx_softmax(x, &y, 1, Int64(n), 1, true, 1)
                    #expect(y.allSatisfy { $0.isNaN })
                    x = [Float](repeating: -.infinity, count: n)
                    x[lane] = 3
                    sx_softmax(x, &y, 1, Int64(n), 1, false, 1)
                    #expect((0..<n).allSatisfy { y[$0] == ($0 == lane ? 1 : 0) })
                }
            }
            var y: [Float] = [0, 0]
            sx_softmax([3e38, -3e38], &y, 1, 2, 1, false, 1)
            #expect(y == [1, 0])
        }
    }
}

@Suite struct ReduceTests {
    private static func exact(_ op: sx_reduce_op, _ x: [Double]) -> (value: Double, magnitude: Double) {
        func sum(_ f: (Double) -> Double) -> Double { x.reduce(0) { $0 + f($1) } }
        let magnitude = sum(abs)
        return switch op {
        case SX_REDUCE_SUM: (sum { $0 }, magnitude)
        case SX_REDUCE_MEAN: (sum { $0 } / Double(x.count), magnitude / Double(x.count))
        case SX_REDUCE_MAX: (x.contains { $0.isNaN } ? .nan : x.max() ?? -.infinity, 0)
        case SX_REDUCE_MIN: (x.contains { $0.isNaN } ? .nan : x.min() ?? .infinity, 0)
        case SX_REDUCE_PROD: (x.reduce(1, *), 0)
        case SX_REDUCE_L1: (sum(abs), 0)
        case SX_REDUCE_L2: (sum { $0 * $0 }.squareRoot(), 0)
        case SX_REDUCE_SUM_SQUARE: (sum { $0 * $0 }, 0)
        case SX_REDUCE_LOG_SUM: (log(sum { $0 }), 1)
        default: (x.isEmpty ? -.infinity : log(sum { exp($0) }), 4)
        }
    }

    /// Sums of 64 terms in float32 (at most 64 roundings of the magnitude), the rest in float64; products and terms
    /// of one sign are relative to the result itself.
    private func check(
        _ op: sx_reduce_op, outer: Int, axis: Int, inner: Int, edge: GuardedFloats.Edge, range: ClosedRange<Float>
    ) {
        var random = SeededRandom(UInt64(axis * 1000 + inner))
        let x = random.floats(outer * axis * inner, in: range)
        let input = GuardedFloats(x, flushAt: edge), y = GuardedFloats(outer * inner, flushAt: edge)
        sx_reduce(op, input.pointer, y.pointer, Int64(outer), Int64(axis), Int64(inner), 2)
        #expect(y.isIntact)
        let single = GuardedFloats(outer * inner)
        sx_reduce(op, input.pointer, single.pointer, Int64(outer), Int64(axis), Int64(inner), 1)
        #expect(sameBits(single.array, y.array))
        for o in 0..<outer {
            for i in 0..<inner {
                let values = (0..<axis).map { Double(x[(o * axis + $0) * inner + i]) }
                let (exact, magnitude) = Self.exact(op, values)
                let got = y.array[o * inner + i]
                let relative = op == SX_REDUCE_PROD ? Double(axis) : 68.0
                let ok = ulpError(got, exact) <= relative || abs(Double(got) - exact) <= 68 * 0x1p-24 * magnitude
                if !ok {
                    Issue.record("operation \(op.rawValue) over \(axis) with inner \(inner): \(got), exactly \(exact)")
                    return
                }
            }
        }
    }

    private func range(_ op: sx_reduce_op) -> ClosedRange<Float> {
        op == SX_REDUCE_LOG_SUM ? 0.5...2 : op == SX_REDUCE_PROD ? 0.9...1.1 : -1...1
    }

    @Test func rowsAndColumns() {
        atEveryIsaLevel { _ in
            for raw in 0..<SX_REDUCE_COUNT.rawValue {
                let op = sx_reduce_op(rawValue: raw)
                for n in columnCounts {
                    check(op, outer: 2, axis: n, inner: 1, edge: n % 2 == 0 ? .end : .start, range: range(op))
                }
                for inner in [2, 15, 16, 17, 64, 65, 100] {
                    for axis in [0, 1, 3, 64, 65, 200] {
                        check(op, outer: 2, axis: axis, inner: inner, edge: .end, range: range(op))
                    }
                }
            }
        }
    }

    @Test func errorDoesNotGrowWithTheLength() {
        // A plain float32 sum of 2^22 tenths would be off by several per cent.
        let n = 1 << 22
        let x = [Float](repeating: 0.1, count: n)
        let exact = Double(n) * Double(Float(0.1))
        atEveryIsaLevel { _ in
            var y: [Float] = [0]
            sx_reduce(SX_REDUCE_SUM, x, &y, 1, Int64(n), 1, 2)
            #expect(abs(Double(y[0]) / exact - 1) < 2e-6)
            sx_reduce(SX_REDUCE_MEAN, x, &y, 1, Int64(n), 1, 2)
            #expect(abs(Double(y[0]) / 0.1 - 1) < 2e-6)
        }
    }

    @Test func nanInAnyPlacePropagates() {
        atEveryIsaLevel { _ in
            for raw in 0..<SX_REDUCE_COUNT.rawValue {
                for (axis, inner) in [(83, 1), (5, 20)] {
                    for place in 0..<axis {
                        var x = [Float](repeating: 1, count: axis * inner)
                        x[place * inner] = .nan
                        var y = [Float](repeating: 0, count: inner)
                        sx_reduce(sx_reduce_op(rawValue: raw), x, &y, 1, Int64(axis), Int64(inner), 1)
                        #expect(y[0].isNaN, "operation \(raw), place \(place)")
                        for other in y.dropFirst() { #expect(!other.isNaN) }
                    }
                }
            }
        }
    }

    @Test func logSumExpOfInfinities() {
        atEveryIsaLevel { _ in
            var y: [Float] = [0]
            sx_reduce(SX_REDUCE_LOG_SUM_EXP, [-.infinity, -.infinity], &y, 1, 2, 1, 1)
            #expect(y[0] == -.infinity)
            sx_reduce(SX_REDUCE_LOG_SUM_EXP, [.infinity, 1], &y, 1, 2, 1, 1)
            #expect(y[0] == .infinity)
            sx_reduce(SX_REDUCE_LOG_SUM_EXP, [200, 200], &y, 1, 2, 1, 1)
            #expect(abs(Double(y[0]) - 200 - log(2.0)) < 2e-5)
        }
    }
}

@Suite struct NormTests {
    /// Mean and factor are each within a few roundings, and the subtraction is relative to |x| + |mean|.
    private func close(_ got: [Float], _ exact: [Double], _ what: String) {
        expectClose(got, exact, ulps: 8, absolute: 2e-5, what)
    }

    private func moments(_ x: ArraySlice<Float>) -> (mean: Double, variance: Double) {
        let mean = x.reduce(0.0) { $0 + Double($1) } / Double(x.count)
        return (mean, x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(x.count))
    }

    @Test func layerNormalisation() {
        var random = SeededRandom(3)
        atEveryIsaLevel { _ in
            for n in columnCounts.dropFirst() {
                let rows = 3
                let x = random.floats(rows * n, in: 3...5), scale = random.floats(n), bias = random.floats(n)
                let input = GuardedFloats(x), y = GuardedFloats(x.count)
                let scales = GuardedFloats(scale), biases = GuardedFloats(bias)
                let means = GuardedFloats(rows), factors = GuardedFloats(rows)
                sx_layer_norm(
                    input.pointer, scales.pointer, biases.pointer, y.pointer, means.pointer, factors.pointer,
                    Int64(rows), Int64(n), 1e-3, 2)
                var exact: [Double] = [], rms: [Double] = [], plain: [Double] = []
                for r in 0..<rows {
                    let row = x[r * n..<(r + 1) * n]
                    let m = moments(row), square = row.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(n)
                    #expect(abs(Double(means.array[r]) - m.mean) < 1e-6)
                    #expect(abs(Double(factors.array[r]) * (m.variance + 1e-3).squareRoot() - 1) < 1e-4)
                    for j in 0..<n {
                        let z = (Double(x[r * n + j]) - m.mean) / (m.variance + 1e-3).squareRoot()
                        exact.append(z * Double(scale[j]) + Double(bias[j]))
                        plain.append(z)
                        rms.append(Double(x[r * n + j]) / (square + 1e-3).squareRoot() * Double(scale[j]))
                    }
                }
                close(y.array, exact, "layer norm of \(n)")
                sx_layer_norm(input.pointer, nil, nil, y.pointer, nil, nil, Int64(rows), Int64(n), 1e-3, 1)
                close(y.array, plain, "layer norm of \(n) without scale")
                sx_rms_norm(input.pointer, scales.pointer, input.pointer, Int64(rows), Int64(n), 1e-3, 2)
                close(input.array, rms, "RMS norm of \(n) in place")
            }
        }
    }

    @Test func channelAffine() {
        var random = SeededRandom(4)
        atEveryIsaLevel { _ in
            for channels in [1, 15, 16, 17, 33] {
                for inner in [1, 15, 16, 17, 50] {
                    let x = random.floats(2 * channels * inner), scale = random.floats(channels),
                        shift = random.floats(channels)
                    let input = GuardedFloats(x), y = GuardedFloats(x.count), s = GuardedFloats(scale),
                        t = GuardedFloats(shift)
                    sx_channel_affine(
                        input.pointer, s.pointer, t.pointer, y.pointer, 2, Int64(channels), Int64(inner), false, 2)
                    let exact = x.indices.map { i in
                        let c = i / inner % channels
                        return Double(x[i]) * Double(scale[c]) + Double(shift[c])
                    }
                    expectClose(y.array, exact, ulps: 1, absolute: 2.5e-7, "affine \(channels) x \(inner)")
                    let blocks = (channels + 15) / 16
                    let blocked = GuardedFloats(2 * blocks * inner * 16)
                    for i in 0..<blocked.count { blocked.pointer[i] = 0 }
                    func place(_ n: Int, _ c: Int, _ i: Int) -> Int {
                        ((n * blocks + c / 16) * inner + i) * 16 + c % 16
                    }
                    for i in x.indices {
                        blocked.pointer[place(i / inner / channels, i / inner % channels, i % inner)] = x[i]
                    }
                    sx_channel_affine(
                        blocked.pointer, s.pointer, t.pointer, blocked.pointer, 2, Int64(channels), Int64(inner), true,
                        2)
                    let result = blocked.array
                    let back = x.indices.map { result[place($0 / inner / channels, $0 / inner % channels, $0 % inner)] }
                    #expect(sameBits(back, y.array))
                    let padding = result.indices.filter { $0 % 16 + $0 / 16 / inner % blocks * 16 >= channels }
                    #expect(padding.allSatisfy { result[$0] == 0 }, "padding lanes")
                }
            }
        }
    }

    @Test func groupNormalisation() {
        var random = SeededRandom(5)
        atEveryIsaLevel { _ in
            for (channels, groups, inner) in [(6, 3, 17), (4, 4, 40), (8, 1, 5), (2, 2, 1), (32, 8, 300)] {
                let x = random.floats(2 * channels * inner, in: -2...6), scale = random.floats(channels),
                    bias = random.floats(channels)
                let input = GuardedFloats(x), y = GuardedFloats(x.count), s = GuardedFloats(scale),
                    t = GuardedFloats(bias)
                sx_group_norm(
                    input.pointer, s.pointer, t.pointer, y.pointer, 2, Int64(channels), Int64(groups), Int64(inner),
                    1e-3, 2)
                let size = channels / groups * inner
                let exact = x.indices.map { i in
                    let m = moments(x[i / size * size..<(i / size + 1) * size]), c = i / inner % channels
                    return (Double(x[i]) - m.mean) / (m.variance + 1e-3).squareRoot() * Double(scale[c])
                        + Double(bias[c])
                }
                close(y.array, exact, "group norm \(channels), \(groups), \(inner)")
            }
        }
    }
}
