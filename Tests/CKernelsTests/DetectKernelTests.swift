import CKernels
import Glibc
import TestSupport
import Testing

/// Every row of the detection kernels against plain Swift, at lengths around the vector, in guarded memory.
@Suite struct DetectKernelTests {
    private func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

    @Test func combinationIsTheSigmoidOfTheDotProducts() {
        atEveryIsaLevel { level in
            var random = SeededRandom(1)
            for n in Array(1...70) + [138] {
                for count in [1, 2, 5, 32] {
                    let stride = padded(n)
                    let proto = GuardedFloats(random.floats(count * stride))
                    let coefficients = GuardedFloats(random.floats(count))
                    let out = GuardedFloats(stride)
                    for sigmoid in [true, false] {
                        sx_detect_combine(
                            proto.pointer, Int64(stride), coefficients.pointer, Int64(count), Int64(n), sigmoid,
                            out.pointer)
                        for i in 0..<n {
                            let products = (0..<count).map {
                                Double(coefficients.pointer[$0]) * Double(proto.pointer[$0 * stride + i])
                            }
                            let sum = products.reduce(0, +)
                            let expected = sigmoid ? 1 / (1 + exp(-sum)) : sum
                            // The sum's rounding; through the sigmoid a slope of at most 1/4, and its own.
                            let rounding = Double(count + 2) * 0x1p-24 * products.reduce(0) { $0 + abs($1) }
                            let bound = sigmoid ? rounding / 4 + 0x1p-21 : rounding
                            #expect(
                                abs(Double(out.pointer[i]) - expected) <= bound,
                                "level \(level.rawValue), n \(n), \(i)")
                        }
                        #expect(out.isIntact)
                    }
                }
            }
        }
    }

    @Test func stretchedColumnsLieBetweenTheirNeighbours() {
        atEveryIsaLevel { _ in
            var random = SeededRandom(2)
            for n in 1...70 {
                let column = GuardedFloats(random.floats(9))
                let weights = GuardedFloats(random.floats(padded(n), in: 0...1))
                let indices = (0..<padded(n)).map { _ in Int32.random(in: 5...12, using: &random) }
                let out = GuardedFloats(padded(n))
                indices.withUnsafeBufferPointer { indices in
                    sx_detect_stretch(
                        column.pointer, 5, sx_detect_axis(index: indices.baseAddress, weight: weights.pointer),
                        Int64(n),
                        out.pointer)
                }
                for i in 0..<n {
                    let (at, weight) = (Int(indices[i]) - 5, weights.pointer[i])
                    #expect(out.pointer[i] == column.pointer[at] * (1 - weight) + column.pointer[at + 1] * weight)
                }
                #expect(out.isIntact)
            }
        }
    }

    @Test func blendedColumnsBecomeBits() {
        atEveryIsaLevel { _ in
            var random = SeededRandom(3)
            for n in 1...140 {
                let a = GuardedFloats(random.floats(padded(n), in: 0...1))
                let b = GuardedFloats(random.floats(padded(n), in: 0...1))
                let weight = random.floats(1, in: 0...1)[0]
                a.pointer[n / 2] = .nan
                var bits = [UInt64](repeating: .max, count: (n + 63) / 64 + 1)
                sx_detect_blend(a.pointer, b.pointer, weight, 0.5, Int64(n), &bits)
                for i in 0..<(n + 63) / 64 * 64 {
                    let isSet = i < n && a.pointer[i] * (1 - weight) + b.pointer[i] * weight > 0.5
                    #expect((bits[i / 64] >> (i % 64) & 1 == 1) == isSet)
                }
                #expect(bits.last == .max)
            }
        }
    }

    @Test func overlapsFollowTheRule() {
        let rules = [
            sx_detect_overlap_rule(extent: 0, threshold: 0.3, comparison: SX_DETECT_ABOVE),
            sx_detect_overlap_rule(extent: 1, threshold: 0.3, comparison: SX_DETECT_AT_LEAST),
            sx_detect_overlap_rule(extent: 0, threshold: 0.3, comparison: SX_DETECT_NOT_AT_MOST),
        ]
        atEveryIsaLevel { _ in
            var random = SeededRandom(4)
            for count in Array(0...40) + [200] {
                for rule in rules {
                    let boxes = (0...count).map { index -> sx_detect_box in
                        // Every seventh has no area: 0/0 with its like.
                        let (corner, size) = (
                            random.floats(2, in: 0...8), random.floats(2, in: 0...(index % 7 == 6 ? 0 : 2))
                        )
                        let (x2, y2) = (corner[0] + size[0], corner[1] + size[1])
                        let area = (x2 - corner[0] + rule.extent) * (y2 - corner[1] + rule.extent)
                        return sx_detect_box(x1: corner[0], y1: corner[1], x2: x2, y2: y2, area: area)
                    }
                    let blocks = GuardedFloats(5 * padded(count))
                    for (index, box) in boxes.dropLast().enumerated() {
                        let start = index / 16 * 80 + index % 16
                        for (field, value) in [box.x1, box.y1, box.x2, box.y2, box.area].enumerated() {
                            blocks.pointer[start + field * 16] = value
                        }
                    }
                    var box = boxes[count]
                    let expected = boxes.dropLast().contains { overlaps($0, box, rule) }
                    #expect(sx_detect_overlaps(blocks.pointer, Int64(count), &box, rule) == expected)
                }
            }
        }
    }

    private func overlaps(_ a: sx_detect_box, _ b: sx_detect_box, _ rule: sx_detect_overlap_rule) -> Bool {
        let width = max(min(a.x2, b.x2) - max(a.x1, b.x1) + rule.extent, 0)
        let height = max(min(a.y2, b.y2) - max(a.y1, b.y1) + rule.extent, 0)
        let shared = width * height
        let iou = shared / (a.area + b.area - shared)
        switch rule.comparison {
        case SX_DETECT_ABOVE: return iou > rule.threshold
        case SX_DETECT_AT_LEAST: return iou >= rule.threshold
        default: return !(iou <= rule.threshold)
        }
    }

    @Test func candidatesHaveAScoreAboveTheThreshold() {
        atEveryIsaLevel { _ in
            var random = SeededRandom(5)
            for columns in 2...90 {
                let anchors = 600
                let scores = GuardedFloats(random.floats(anchors * columns, in: 0...(0.5 + 0.5 / Float(columns))))
                for anchor in stride(from: 0, to: anchors, by: 9) { scores.pointer[anchor * columns + 1] = .nan }
                var keep = [UInt8](repeating: 9, count: anchors)
                sx_detect_candidates(scores.pointer, Int64(anchors), Int64(columns), 0.5, &keep, 2)
                let expected = (0..<anchors).map { anchor -> UInt8 in
                    (1..<columns).contains { scores.pointer[anchor * columns + $0] > 0.5 } ? 1 : 0
                }
                #expect(keep == expected)
            }
        }
    }

    @Test func prototypesAreRearranged() {
        var random = SeededRandom(6)
        for (height, width, count) in [(1, 1, 1), (5, 3, 2), (17, 4, 32), (33, 7, 5)] {
            let proto = GuardedFloats(random.floats(height * width * count))
            let stride = padded(height) + 16
            let out = GuardedFloats(width * count * stride)
            var prototypes = sx_detect_prototypes(
                values: proto.pointer, height: Int64(height), width: Int64(width), count: Int64(count),
                row_step: Int64(width * count), column_step: Int64(count), count_step: 1)
            sx_detect_arrange_prototypes(&prototypes, out.pointer, Int64(stride), 2)
            for y in 0..<height {
                for x in 0..<width {
                    for k in 0..<count {
                        #expect(out.pointer[(x * count + k) * stride + y] == proto.pointer[(y * width + x) * count + k])
                    }
                }
            }
        }
    }

    @Test func picturesAreResampledAndNormalised() {
        atEveryIsaLevel { _ in
            var random = SeededRandom(7)
            for (width, height, outWidth, outHeight) in [
                (4, 1, 1, 1), (4, 3, 17, 9), (20, 7, 5, 16), (8, 8, 33, 3), (60, 5, 16, 5),
            ] {
                resample(width, height, outWidth, outHeight, &random)
            }
        }
    }

    private func resample(_ width: Int, _ height: Int, _ outWidth: Int, _ outHeight: Int, _ random: inout SeededRandom)
    {
        // A whole number of floats, so that the pixels end at the guard page.
        let guarded = GuardedFloats(width * height * 3 / 4)
        let pixels = UnsafeMutableRawPointer(guarded.pointer).assumingMemoryBound(to: UInt8.self)
        for i in 0..<width * height * 3 { pixels[i] = UInt8.random(in: 0...255, using: &random) }
        let columns = (0..<padded(outWidth)).map { _ in Int32.random(in: 0..<Int32(width), using: &random) }
        let rows = (0..<padded(outHeight)).map { _ in Int32.random(in: 0..<Int32(height), using: &random) }
        let columnWeights = random.floats(padded(outWidth), in: 0...1),
            rowWeights = random.floats(padded(outHeight), in: 0...1)
        let stride = padded((width + 1) * 3)
        let scratch = GuardedFloats(2 * stride), out = GuardedFloats(3 * outWidth * outHeight)
        let (mean, scale): ([Float], [Float]) = ([10, 20, 30], [0.5, 0.25, 2])
        columns.withUnsafeBufferPointer { columnIndices in
            rows.withUnsafeBufferPointer { rowIndices in
                columnWeights.withUnsafeBufferPointer { columnWeights in
                    rowWeights.withUnsafeBufferPointer { rowWeights in
                        var picture = sx_detect_picture(
                            pixels: pixels, width: Int64(width), height: Int64(height), out_width: Int64(outWidth),
                            out_height: Int64(outHeight), row_stride: Int64(outWidth),
                            plane_stride: Int64(outWidth * outHeight),
                            columns: sx_detect_axis(
                                index: columnIndices.baseAddress, weight: columnWeights.baseAddress),
                            rows: sx_detect_axis(index: rowIndices.baseAddress, weight: rowWeights.baseAddress),
                            source: (2, 1, 0), mean: (mean[0], mean[1], mean[2]), scale: (scale[0], scale[1], scale[2]),
                            scratch: scratch.pointer, scratch_stride: Int64(stride))
                        sx_detect_preprocess(&picture, out.pointer, 2)
                    }
                }
            }
        }
        for plane in 0..<3 {
            for y in 0..<outHeight {
                for x in 0..<outWidth {
                    func vertical(_ column: Int) -> Float {
                        let at = min(column, width - 1) * 3 + 2 - plane
                        let above = Int(rows[y]), below = min(above + 1, height - 1)
                        return Float(pixels[above * width * 3 + at]) * (1 - rowWeights[y])
                            + Float(pixels[below * width * 3 + at]) * rowWeights[y]
                    }
                    let left = vertical(Int(columns[x])), right = vertical(Int(columns[x]) + 1)
                    let value = left * (1 - columnWeights[x]) + right * columnWeights[x]
                    #expect(out.pointer[(plane * outHeight + y) * outWidth + x] == (value - mean[plane]) * scale[plane])
                }
            }
        }
        #expect(out.isIntact && scratch.isIntact && guarded.isIntact)
    }
}
