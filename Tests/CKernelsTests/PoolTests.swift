import CKernels
import TestSupport
import Testing

/// A pooling with the reference that follows its definition, one output at a time.
struct PoolCase {
    var batch = 1, channels = 1
    var input: [Int], kernel: [Int]
    var stride: [Int]?, dilation: [Int]?, begin: [Int]?, end: [Int]?
    var ceilMode = false

    var strides: [Int] { stride ?? kernel.map { _ in 1 } }
    var dilations: [Int] { dilation ?? kernel.map { _ in 1 } }
    var begins: [Int] { begin ?? kernel.map { _ in 0 } }
    var ends: [Int] { end ?? begins }

    var output: [Int] {
        input.indices.map { d in
            let room = input[d] + begins[d] + ends[d] - (kernel[d] - 1) * dilations[d] - 1
            let n = (ceilMode ? room + strides[d] - 1 : room) / strides[d] + 1
            // The last window must start inside the input or the leading padding.
            return ceilMode && (n - 1) * strides[d] >= input[d] + begins[d] ? n - 1 : n
        }
    }

    func shape(blocked: Bool) -> sx_pool_shape {
        var s = sx_pool_shape()
        (s.batch, s.channels, s.blocked, s.spatial_rank) = (Int64(batch), Int64(channels), blocked, Int32(input.count))
        func fill(_ field: inout (Int64, Int64, Int64, Int64, Int64, Int64), _ values: [Int]) {
            withUnsafeMutableBytes(of: &field) { bytes in
                for (i, v) in values.enumerated() {
                    bytes.storeBytes(of: Int64(v), toByteOffset: 8 * i, as: Int64.self)
                }
            }
        }
        fill(&s.in, input)
        fill(&s.out, output)
        fill(&s.kernel, kernel)
        fill(&s.stride, strides)
        fill(&s.dilation, dilations)
        fill(&s.pad_begin, begins)
        fill(&s.pad_end, ends)
        return s
    }

    /// For each output: the pixels inside its window in row-major order, and the taps before the end of the padding.
    func windows() -> [(pixels: [Int], padded: Int)] {
        func coordinates(_ flat: Int, _ dims: [Int]) -> [Int] {
            var rest = flat
            return dims.reversed().map { d in
                defer { rest /= d }; return rest % d
            }.reversed()
        }
        return (0..<output.reduce(1, *)).map { flat in
            let at = coordinates(flat, output)
            var pixels: [Int] = [], padded = 0
            for tap in 0..<kernel.reduce(1, *) {
                let t = coordinates(tap, kernel)
                let p = input.indices.map { at[$0] * strides[$0] - begins[$0] + t[$0] * dilations[$0] }
                if input.indices.allSatisfy({ p[$0] < input[$0] + ends[$0] }) { padded += 1 }
                if input.indices.allSatisfy({ p[$0] >= 0 && p[$0] < input[$0] }) {
                    pixels.append(input.indices.reduce(0) { $0 * input[$1] + p[$1] })
                }
            }
            return (pixels, padded)
        }
    }
}

private let cases: [PoolCase] = [
    PoolCase(batch: 2, channels: 3, input: [7, 9], kernel: [3, 3], stride: [2, 2], begin: [1, 1]),
    PoolCase(channels: 17, input: [5, 40], kernel: [3, 3], begin: [1, 1]),
    PoolCase(channels: 2, input: [8, 70], kernel: [2, 2], stride: [2, 2]),
    PoolCase(channels: 33, input: [6, 7], kernel: [3, 2], stride: [2, 1], begin: [1, 0], end: [0, 1]),
    PoolCase(channels: 2, input: [9, 33], kernel: [3, 3], dilation: [2, 3], begin: [2, 3]),
    PoolCase(channels: 3, input: [7, 7], kernel: [3, 3], stride: [2, 2], begin: [1, 1], ceilMode: true),
    PoolCase(channels: 3, input: [8, 10], kernel: [3, 3], stride: [3, 2], begin: [0, 0], ceilMode: true),
    PoolCase(channels: 4, input: [30], kernel: [5], stride: [3], begin: [2]),
    PoolCase(channels: 3, input: [4, 5, 18], kernel: [2, 3, 3], stride: [1, 2, 1], begin: [0, 1, 1]),
    PoolCase(channels: 2, input: [3, 2, 4, 5], kernel: [2, 2, 2, 2]),
    PoolCase(channels: 2, input: [6, 6], kernel: [6, 6]),
    PoolCase(batch: 3, channels: 16, input: [1, 1], kernel: [1, 1]),
    // Longer than the memory for a padded line; windows longer than that; more rows than are folded at once.
    PoolCase(channels: 2, input: [3000], kernel: [7], stride: [2], begin: [3]),
    PoolCase(channels: 1, input: [2600], kernel: [1100], stride: [9], begin: [500]),
    PoolCase(channels: 2, input: [25, 20], kernel: [20, 5], begin: [4, 2]),
    PoolCase(channels: 2, input: [9, 90], kernel: [3, 3], stride: [3, 3]),
]

@Suite struct PoolTests {
    /// Plain [N, C, pixels] to blocked16 and back by definition.
    private func blockedIndex(_ i: Int, channels: Int, pixels: Int) -> Int {
        let n = i / pixels / channels, c = i / pixels % channels
        return ((n * ((channels + 15) / 16) + c / 16) * pixels + i % pixels) * 16 + c % 16
    }

    private func runBlocked(
        _ c: PoolCase, _ x: [Float], edge: GuardedFloats.Edge,
        _ pool: (UnsafePointer<sx_pool_shape>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        let inPixels = c.input.reduce(1, *), outPixels = c.output.reduce(1, *), blocks = (c.channels + 15) / 16
        let input = GuardedFloats([Float](repeating: 0, count: c.batch * blocks * inPixels * 16), flushAt: edge)
        for i in x.indices { input.pointer[blockedIndex(i, channels: c.channels, pixels: inPixels)] = x[i] }
        let y = GuardedFloats(c.batch * blocks * outPixels * 16, flushAt: edge)
        var shape = c.shape(blocked: true)
        pool(&shape, input.pointer, y.pointer)
        let result = y.array
        let used = (0..<c.batch * c.channels * outPixels).map {
            blockedIndex($0, channels: c.channels, pixels: outPixels)
        }
        let padding = Set(result.indices).subtracting(used)
        #expect(y.isIntact && padding.allSatisfy { result[$0] == 0 }, "padding lanes")
        return used.map { result[$0] }
    }

    @Test func maximumWithIndices() {
        for (number, c) in cases.enumerated() {
            let inPixels = c.input.reduce(1, *), outPixels = c.output.reduce(1, *), planes = c.batch * c.channels
            var random = SeededRandom(UInt64(number))
            var x = random.floats(planes * inPixels).map { ($0 * 8).rounded() / 8 }  // with ties
            for _ in 0..<3 { x[Int(random.next() % UInt64(x.count))] = .nan }
            let windows = c.windows()
            var want: [Float] = [], wantIndex: [Int64] = []
            for plane in 0..<planes {
                for w in windows {
                    let pixels = w.pixels.map { plane * inPixels + $0 }
                    let nan = pixels.first { x[$0].isNaN }
                    let best = nan ?? pixels.reduce(pixels[0]) { x[$1] > x[$0] ? $1 : $0 }
                    want.append(x[best])
                    wantIndex.append(Int64(best))
                }
            }
            atEveryIsaLevel { level in
                for edge in GuardedFloats.Edge.allCases {
                    let input = GuardedFloats(x, flushAt: edge), y = GuardedFloats(want.count, flushAt: edge)
                    var shape = c.shape(blocked: false)
                    sx_max_pool(&shape, input.pointer, y.pointer, nil, false, 2)
                    // Which zero of a window is its maximum, 0 or -0, depends on the order.
                    let isEqual = zip(y.array, want).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
                    #expect(isEqual && y.isIntact, "case \(number), level \(level.rawValue)")
                    var indices = [Int64](repeating: -1, count: want.count)
                    sx_max_pool(&shape, input.pointer, y.pointer, &indices, false, 2)
                    #expect(sameBits(y.array, want) && indices == wantIndex, "case \(number) with indices")
                    if c.input.count == 2 {
                        sx_max_pool(&shape, input.pointer, y.pointer, &indices, true, 1)
                        let columnMajor = wantIndex.map { index -> Int64 in
                            let plane = Int(index) / inPixels, pixel = Int(index) % inPixels
                            return Int64(plane * inPixels + pixel % c.input[1] * c.input[0] + pixel / c.input[1])
                        }
                        #expect(indices == columnMajor, "case \(number), column-major")
                    }
                    let blocked = runBlocked(c, x, edge: edge) { sx_max_pool($0, $1, $2, nil, false, 2) }
                    #expect(sameBits(blocked, want), "case \(number) blocked, outputs \(outPixels)")
                }
            }
        }
    }

    @Test(arguments: [false, true]) func average(includePad: Bool) {
        for (number, c) in cases.enumerated() {
            let inPixels = c.input.reduce(1, *), planes = c.batch * c.channels
            var random = SeededRandom(UInt64(100 + number))
            let x = random.floats(planes * inPixels)
            let windows = c.windows()
            let exact = (0..<planes).flatMap { plane in
                windows.map { w in
                    w.pixels.reduce(0.0) { $0 + Double(x[plane * inPixels + $1]) }
                        / Double(includePad ? w.padded : w.pixels.count)
                }
            }
            // At most 36 taps are added one by one, of magnitude at most 1.
            atEveryIsaLevel { level in
                for edge in GuardedFloats.Edge.allCases {
                    let input = GuardedFloats(x, flushAt: edge), y = GuardedFloats(exact.count, flushAt: edge)
                    var shape = c.shape(blocked: false)
                    sx_average_pool(&shape, input.pointer, y.pointer, includePad, 2)
                    expectClose(
                        y.array, exact, ulps: 2, absolute: 40 * 0x1p-24, "case \(number), level \(level.rawValue)")
                    let blocked = runBlocked(c, x, edge: edge) { sx_average_pool($0, $1, $2, includePad, 2) }
                    expectClose(blocked, exact, ulps: 2, absolute: 40 * 0x1p-24, "case \(number) blocked")
                }
            }
        }
    }
}
