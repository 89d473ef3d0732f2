import CKernels
import TestSupport
import Testing

private struct Copy: Sendable {
    let dims: [Int64], source: [Int64], target: [Int64]
}

private let copies: [Copy] = [
    .init(dims: [], source: [], target: []),
    .init(dims: [3, 0, 2], source: [0, 2, 1], target: [0, 2, 1]),
    .init(dims: [1000], source: [1], target: [1]),
    .init(dims: [37], source: [-1], target: [1]),
    .init(dims: [37], source: [0], target: [2]),
    .init(dims: [19, 33], source: [1, 19], target: [33, 1]),  // transposition
    .init(dims: [64, 70], source: [1, 70], target: [80, 1]),
    .init(dims: [2, 5, 7, 3], source: [105, 1, 15, 5], target: [105, 21, 3, 1]),  // channels last to first
    .init(dims: [2, 3, 5, 7], source: [105, 1, 21, 3], target: [105, 35, 7, 1]),
    .init(dims: [6, 5, 2], source: [2, 12, 1], target: [10, 2, 1]),  // pairs
    .init(dims: [6, 5, 4], source: [4, 24, 1], target: [20, 4, 1]),
    .init(dims: [3, 4, 5], source: [40, 10, 2], target: [20, 5, 1]),  // steps
    .init(dims: [3, 4, 5], source: [20, 5, 1], target: [24, 6, 1]),  // into a part
    .init(dims: [4, 3, 5], source: [1, 20, 4], target: [1, 4, 12]),
    .init(dims: [2, 300, 40], source: [0, 1, 300], target: [12_000, 40, 1]),
]

/// Guarded memory holds floats; a copy of `size` bytes an element uses as many as it needs.
private func floats(forBytes bytes: Int) -> Int { (bytes + 3) / 4 }

private func reach(_ dims: [Int64], _ strides: [Int64]) -> (low: Int, high: Int) {
    zip(dims, strides).reduce((0, 0)) { r, d in
        let step = Int(max(d.0 - 1, 0) * d.1)
        return (r.0 + min(step, 0), r.1 + max(step, 0))
    }
}

@Suite struct MoveTests {
    @Test(arguments: [1, 2, 4, 8, 16]) func stridedCopies(size: Int) {
        for (number, c) in copies.enumerated() {
            let s = reach(c.dims, c.source), t = reach(c.dims, c.target)
            let sourceCount = s.high - s.low + 1, targetCount = t.high - t.low + 1
            var random = SeededRandom(UInt64(number))
            atEveryIsaLevel { level in
                // Whole floats only, so that the guard page lies right behind the last element.
                for edge in GuardedFloats.Edge.allCases
                where edge == .start || sourceCount * size % 4 == 0 && targetCount * size % 4 == 0 {
                    let source = GuardedFloats(floats(forBytes: sourceCount * size), flushAt: edge)
                    let target = GuardedFloats(floats(forBytes: targetCount * size), flushAt: edge)
                    let sourceBytes = UnsafeMutableRawPointer(source.pointer),
                        targetBytes = UnsafeMutableRawPointer(target.pointer)
                    for i in 0..<sourceCount * size {
                        sourceBytes.storeBytes(
                            of: UInt8(truncatingIfNeeded: random.next()), toByteOffset: i, as: UInt8.self)
                    }
                    for i in 0..<targetCount * size {
                        targetBytes.storeBytes(of: 0xA5, toByteOffset: i, as: UInt8.self)
                    }
                    var want = [UInt8](repeating: 0xA5, count: targetCount * size)
                    for flat in 0..<Int(c.dims.reduce(1, *)) {
                        var rest = flat, from = -s.low, to = -t.low
                        for d in c.dims.indices.reversed() {
                            from += rest % Int(c.dims[d]) * Int(c.source[d])
                            to += rest % Int(c.dims[d]) * Int(c.target[d])
                            rest /= Int(c.dims[d])
                        }
                        for byte in 0..<size {
                            want[to * size + byte] = sourceBytes.load(
                                fromByteOffset: from * size + byte, as: UInt8.self)
                        }
                    }
                    sx_copy_strided(
                        sourceBytes - s.low * size, targetBytes - t.low * size, Int32(c.dims.count), c.dims, c.source,
                        c.target, Int32(size), 2)
                    let got = (0..<targetCount * size).map { targetBytes.load(fromByteOffset: $0, as: UInt8.self) }
                    #expect(got == want && target.isIntact, "copy \(number) of \(size) bytes, level \(level.rawValue)")
                }
            }
        }
    }

    @Test(arguments: [1, 2, 4, 8, 16]) func fill(size: Int) {
        let value = (0..<UInt8(size)).map { $0 * 7 + 1 }
        for n in [0, 1, 2, 15, 16, 17, 1000, 70_001] {
            var bytes = [UInt8](repeating: 0, count: n * size + 1)
            sx_fill(&bytes, Int64(n), value, Int32(size), 2)
            #expect((0..<n * size).allSatisfy { bytes[$0] == value[$0 % size] } && bytes[n * size] == 0)
        }
    }

    @Test func gatherRows() {
        var random = SeededRandom(1)
        for rowBytes in [1, 4, 8, 12, 100] {
            let (outer, axis) = (3, 7)
            let source = (0..<outer * axis * rowBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            for count in [0, 1, 5, 3000] {
                let index = (0..<count).map { _ in Int64(random.next() % 7) }
                var target = [UInt8](repeating: 0, count: outer * count * rowBytes)
                sx_gather_rows(source, index, &target, Int64(outer), Int64(axis), Int64(count), Int64(rowBytes), 2)
                var want: [UInt8] = []
                for o in 0..<outer {
                    for i in index {
                        let row = o * axis + Int(i)
                        want += source[row * rowBytes..<(row + 1) * rowBytes]
                    }
                }
                #expect(target == want)
            }
        }
    }
}

@Suite struct CastTests {
    private func cast<From, To>(_ values: [From], _ from: sx_type, _ to: sx_type, as: To.Type, _ zero: To) -> [To] {
        var result = [To](repeating: zero, count: values.count)
        values.withUnsafeBufferPointer { sx_cast(from, to, $0.baseAddress, &result, Int64(values.count), 2) }
        return result
    }

    @Test func everyHalfIsExact() {
        let halves = (0...UInt16.max).map { $0 }
        let got = cast(halves, SX_TYPE_FLOAT16, SX_TYPE_FLOAT32, as: Float.self, 0)
        for h in halves {
            let want = Float(Float16(bitPattern: h))
            let value = got[Int(h)]
            if !(value.bitPattern == want.bitPattern || (value.isNaN && want.isNaN)) {
                Issue.record("half \(h): \(value)"); return
            }
        }
    }

    @Test func roundsToHalfAndBfloat16() {
        var random = SeededRandom(2)
        var floats =
            (0..<200_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) } + specialFloats
        // Ties, and both sides of them.
        for h in stride(from: UInt16(0), to: 0x7c00, by: 7) {
            let low = Float(Float16(bitPattern: h)), high = Float(Float16(bitPattern: h + 1))
            let middle = low + (high - low) / 2
            floats += [low, middle, middle.nextUp, middle.nextDown, -middle]
        }
        let halves = cast(floats, SX_TYPE_FLOAT32, SX_TYPE_FLOAT16, as: UInt16.self, 0)
        let doubles = floats.map { Double($0) * (1 + 0x1p-40) }
        let fromDoubles = cast(doubles, SX_TYPE_FLOAT64, SX_TYPE_FLOAT16, as: UInt16.self, 0)
        let bfloats = cast(floats, SX_TYPE_FLOAT32, SX_TYPE_BFLOAT16, as: UInt16.self, 0)
        for (i, x) in floats.enumerated() where x == 0 || !(abs(x) < .leastNormalMagnitude) {
            let half = Float16(x), fromDouble = Float16(doubles[i])
            let halfOk = Float16(bitPattern: halves[i]).isNaN ? x.isNaN : halves[i] == half.bitPattern
            let doubleOk = Float16(bitPattern: fromDoubles[i]).isNaN ? x.isNaN : fromDoubles[i] == fromDouble.bitPattern
            let back = Float(bitPattern: UInt32(bfloats[i]) << 16)
            // To nearest even on the upper half of the bits, written with integers.
            let rest = x.bitPattern & 0xffff, upper = x.bitPattern >> 16
            let up = rest > 0x8000 || (rest == 0x8000 && upper & 1 == 1)
            let bfloatOk = x.isNaN ? back.isNaN : UInt32(bfloats[i]) == (up ? upper + 1 : upper)
            if !(halfOk && doubleOk && bfloatOk) {
                Issue.record("\(x): half \(halfOk), from double \(doubleOk), bfloat16 \(bfloatOk)"); return
            }
        }
    }

    @Test func integersWrapAndFloatsSaturate() {
        let wide: [Int64] = [0, 1, -1, 127, 128, 255, 256, -129, 65_535, 65_536, .max, .min, 1 << 40]
        #expect(cast(wide, SX_TYPE_INT64, SX_TYPE_INT8, as: Int8.self, 0) == wide.map { Int8(truncatingIfNeeded: $0) })
        #expect(
            cast(wide, SX_TYPE_INT64, SX_TYPE_UINT16, as: UInt16.self, 0) == wide.map { UInt16(truncatingIfNeeded: $0) }
        )
        #expect(
            cast(wide, SX_TYPE_INT64, SX_TYPE_INT32, as: Int32.self, 0) == wide.map { Int32(truncatingIfNeeded: $0) })
        #expect(cast(wide, SX_TYPE_INT64, SX_TYPE_UINT64, as: UInt64.self, 0) == wide.map { UInt64(bitPattern: $0) })
        #expect(cast(wide, SX_TYPE_INT64, SX_TYPE_FLOAT32, as: Float.self, 0) == wide.map { Float($0) })
        #expect(cast(wide, SX_TYPE_INT64, SX_TYPE_BOOL, as: UInt8.self, 0) == wide.map { $0 == 0 ? 0 : 1 })
        let large: [UInt64] = [0, 1, .max, 1 << 63]
        #expect(cast(large, SX_TYPE_UINT64, SX_TYPE_FLOAT32, as: Float.self, 0) == large.map { Float($0) })
        #expect(cast(large, SX_TYPE_UINT64, SX_TYPE_FLOAT64, as: Double.self, 0) == large.map { Double($0) })

        let x: [Float] = [
            0, -0.9, 1.9, -1.9, 127.9, 300, -300, 3e9, -3e9, 1e19, 2e19, -1e19, .infinity, -.infinity, .nan,
        ]
        func saturated<T: FixedWidthInteger>(_ type: T.Type) -> [T] {
            x.map { v in
                if v.isNaN { return 0 }
                if Double(v) >= Double(T.max) { return .max }
                return Double(v) <= Double(T.min) ? .min : T(v)
            }
        }
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_INT8, as: Int8.self, 0) == saturated(Int8.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_UINT8, as: UInt8.self, 0) == saturated(UInt8.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_INT16, as: Int16.self, 0) == saturated(Int16.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_UINT16, as: UInt16.self, 0) == saturated(UInt16.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_INT32, as: Int32.self, 0) == saturated(Int32.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_UINT32, as: UInt32.self, 0) == saturated(UInt32.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_INT64, as: Int64.self, 0) == saturated(Int64.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_UINT64, as: UInt64.self, 0) == saturated(UInt64.self))
        #expect(cast(x, SX_TYPE_FLOAT32, SX_TYPE_BOOL, as: UInt8.self, 0) == x.map { $0 == 0 ? 0 : 1 })
    }

    @Test func everyPairKeepsSmallIntegers() {
        let types: [(sx_type, Int)] = [
            (SX_TYPE_FLOAT32, 4), (SX_TYPE_UINT8, 1), (SX_TYPE_INT8, 1), (SX_TYPE_UINT16, 2), (SX_TYPE_INT16, 2),
            (SX_TYPE_INT32, 4), (SX_TYPE_INT64, 8), (SX_TYPE_FLOAT16, 2), (SX_TYPE_FLOAT64, 8), (SX_TYPE_UINT32, 4),
            (SX_TYPE_UINT64, 8), (SX_TYPE_BFLOAT16, 2),
        ]
        let n = 1300
        let values = (0..<n).map { Int64($0 % 128) }
        for (from, fromSize) in types {
            for (to, toSize) in types {
                var source = [UInt8](repeating: 0, count: n * fromSize),
                    target = [UInt8](repeating: 0, count: n * toSize)
                var back = [Int64](repeating: -1, count: n)
                sx_cast(SX_TYPE_INT64, from, values, &source, Int64(n), 1)
                sx_cast(from, to, source, &target, Int64(n), 2)
                sx_cast(to, SX_TYPE_INT64, target, &back, Int64(n), 1)
                #expect(back == values, "\(from.rawValue) to \(to.rawValue)")
            }
        }
    }
}

@Suite struct PeakTests {
    @Test func measurementsArePlausible() {
        atEveryIsaLevel { _ in
            let gmacs = sx_measure_fma_gmacs(1, 5)
            #expect(gmacs > 0.05 && gmacs < 2000)
            let gbs = sx_measure_read_gbs(1, 1 << 20, 5)
            #expect(gbs > 0.05 && gbs < 5000)
        }
        #expect(sx_measure_read_gbs(1, 0, 1) == 0)
    }
}
