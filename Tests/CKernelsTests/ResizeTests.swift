import CKernels
import TestSupport
import Testing

/// A coordinate table with random source indices and weights: the kernels do not care where they come from.
private struct Table {
    let taps: Int
    let index: [Int32]
    let weight: [Float]?

    init(taps: Int, from source: Int, to target: Int, weighted: Bool, _ random: inout SeededRandom) {
        self.taps = taps
        index = (0..<taps * target).map { _ in Int32(random.next() % UInt64(source)) }
        weight = weighted ? random.floats(taps * target) : nil
    }

    func use<T>(_ body: (sx_resize_table) -> T) -> T {
        index.withUnsafeBufferPointer { index in
            guard let weight else {
                return body(sx_resize_table(taps: Int32(taps), index: index.baseAddress, weight: nil))
            }
            return weight.withUnsafeBufferPointer {
                body(sx_resize_table(taps: Int32(taps), index: index.baseAddress, weight: $0.baseAddress))
            }
        }
    }

    func terms(_ o: Int) -> [(Int, Double)] {
        (o * taps..<(o + 1) * taps).map { entry in (Int(index[entry]), Double(weight?[entry] ?? 1)) }
    }
}

@Suite struct ResizeTests {
    @Test(arguments: [(1, 1), (2, 2), (4, 4), (1, 2), (7, 3)]) func separable(taps: (Int, Int)) {
        var random = SeededRandom(UInt64(taps.0 * 10 + taps.1))
        for (inH, inW, outH, outW) in [(3, 4, 5, 9), (1, 1, 4, 17), (9, 20, 3, 16), (6, 5, 6, 1)] {
            let weighted = taps != (1, 1)
            let rows = Table(taps: taps.0, from: inH, to: outH, weighted: weighted, &random)
            let columns = Table(taps: taps.1, from: inW, to: outW, weighted: weighted, &random)
            for lanes in [1, 16] {
                let planes = 3
                let x = random.floats(planes * inH * inW * lanes)
                var exact = [Double](repeating: 0, count: planes * outH * outW * lanes)
                for p in 0..<planes {
                    for h in 0..<outH {
                        for w in 0..<outW {
                            for lane in 0..<lanes {
                                var sum = 0.0
                                for (i, a) in rows.terms(h) {
                                    for (j, b) in columns.terms(w) {
                                        sum += a * b * Double(x[((p * inH + i) * inW + j) * lanes + lane])
                                    }
                                }
                                exact[((p * outH + h) * outW + w) * lanes + lane] = sum
                            }
                        }
                    }
                }
                atEveryIsaLevel { level in
                    for edge in GuardedFloats.Edge.allCases {
                        let input = GuardedFloats(x, flushAt: edge), y = GuardedFloats(exact.count, flushAt: edge)
                        rows.use { r in
                            columns.use { c in
                                sx_resize_2d(
                                    input.pointer, y.pointer, Int64(planes), Int64(inH), Int64(inW), Int64(outH),
                                    Int64(outW), Int32(lanes), r, c, 2)
                            }
                        }
                        // Weights and pixels are at most 1: two roundings a tap.
                        let bound = weighted ? Double(taps.0 * taps.1 + 4) * 0x1p-23 : 0
                        expectClose(
                            y.array, exact, absolute: bound, "taps \(taps), lanes \(lanes), level \(level.rawValue)")
                        #expect(y.isIntact)
                    }
                }
            }
        }
    }

    @Test(arguments: [1, 2, 4]) func alongOneAxis(taps: Int) {
        var random = SeededRandom(UInt64(taps))
        for inner in [1, 3, 15, 16, 17, 40] {
            let (outer, source, target) = (2, 6, 11)
            let table = Table(taps: taps, from: source, to: target, weighted: taps > 1, &random)
            let x = random.floats(outer * source * inner)
            var exact: [Double] = []
            for o in 0..<outer {
                for t in 0..<target {
                    for i in 0..<inner {
                        exact.append(
                            table.terms(t).reduce(0.0) { $0 + $1.1 * Double(x[(o * source + $1.0) * inner + i]) })
                    }
                }
            }
            atEveryIsaLevel { _ in
                for edge in GuardedFloats.Edge.allCases {
                    let input = GuardedFloats(x, flushAt: edge), y = GuardedFloats(exact.count, flushAt: edge)
                    table.use {
                        sx_resize_axis(
                            input.pointer, y.pointer, Int64(outer), Int64(source), Int64(target), Int64(inner), $0, 2)
                    }
                    expectClose(
                        y.array, exact, absolute: taps > 1 ? Double(taps + 2) * 0x1p-23 : 0,
                        "axis, \(taps) taps, inner \(inner)")
                    #expect(y.isIntact)
                }
            }
        }
    }
}
