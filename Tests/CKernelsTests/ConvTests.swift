import CKernels
import TestSupport
import Testing

@Suite struct ConvTests {
    static let plain = SX_LAYOUT_PLAIN, blocked = SX_LAYOUT_BLOCKED16, nhwc = SX_LAYOUT_NHWC

    /// One shape per way through the drivers; widths and channels stand around the tiles (6, 14 pixels; 16, 32, 64
    /// channels).
    static let shapes: [sx_conv_shape] = [
        // 1x1: one row of all pixels, whole tiles and remainders, panels 1 to 5.
        sx_conv_shape(c: 16, 1, 1, k: 16), sx_conv_shape(c: 17, 3, 5, k: 33), sx_conv_shape(n: 2, c: 64, 7, 9, k: 80),
        sx_conv_shape(c: 32, 2, 7, k: 64), sx_conv_shape(c: 5, 1, 6, k: 70),
        sx_conv_shape(c: 48, 4, 7, k: 12, to: nhwc),
        // 1x1 with the reduction in several passes, with stride, with padding.
        sx_conv_shape(c: 2600, 1, 3, k: 16), sx_conv_shape(c: 2576, 1, 15, k: 33),
        sx_conv_shape(c: 20, 5, 31, k: 32, stride: 2), sx_conv_shape(c: 16, 3, 3, k: 16, pad: 1),
        // Several passes over rows of tiles narrower than the widest.
        sx_conv_shape(c: 2048, 3, 3, k: 32), sx_conv_shape(c: 2048, 7, 7, k: 48),
        // No input channels: the bias alone.
        sx_conv_shape(c: 0, 5, 20, k: 40, kernel: 3, pad: 1, from: plain), sx_conv_shape(c: 0, 2, 3, k: 3, from: plain),
        // k x k: inside and border tiles, rows of 1, 5, 13, 14, 15, 28, 29 pixels.
        sx_conv_shape(c: 16, 1, 1, k: 16, kernel: 3, pad: 1), sx_conv_shape(c: 32, 5, 5, k: 64, kernel: 3, pad: 1),
        sx_conv_shape(n: 2, c: 16, 4, 13, k: 17, kernel: 3, pad: 1),
        sx_conv_shape(c: 16, 6, 14, k: 48, kernel: 3, pad: 1),
        sx_conv_shape(c: 19, 3, 15, k: 32, kernel: 3, pad: 1), sx_conv_shape(c: 16, 5, 29, k: 32, kernel: 5, pad: 2),
        sx_conv_shape(c: 160, 3, 28, k: 32, kernel: 3, pad: 1), sx_conv_shape(c: 16, 9, 30, k: 32, kernel: 3),
        // Stride, dilation, padding beyond the input.
        sx_conv_shape(c: 32, 9, 29, k: 32, kernel: 3, stride: 2, pad: 1),
        sx_conv_shape(c: 16, 12, 33, k: 16, kernel: 3, dilation: 5, pad: 5),
        sx_conv_shape(c: 16, 3, 4, k: 16, kernel: 2, stride: 3, pad: 2),
        sx_conv_shape(c: 16, 2, 2, k: 16, kernel: 3, pad: 6),
        // Plain input: the stems.
        sx_conv_shape(c: 3, 21, 37, k: 64, kernel: 7, stride: 2, pad: 3, from: plain),
        sx_conv_shape(c: 3, 12, 31, k: 32, kernel: 3, stride: 2, pad: 1, from: plain),
        sx_conv_shape(n: 2, c: 1, 8, 8, k: 10, kernel: 5, from: plain, to: plain),
        sx_conv_shape(c: 15, 7, 16, k: 16, kernel: 3, dilation: 2, pad: 2, from: plain),
        // Outputs in place of heads and plain outputs.
        sx_conv_shape(n: 2, c: 32, 5, 15, k: 243, kernel: 3, pad: 1, to: nhwc),
        sx_conv_shape(c: 32, 6, 17, k: 35, kernel: 3, pad: 1, to: plain), sx_conv_shape(c: 32, 6, 17, k: 35, to: plain),
        // Groups: whole blocks, several in a block, across blocks, with plain input.
        sx_conv_shape(c: 64, 5, 9, k: 128, kernel: 3, pad: 1, groups: 2), sx_conv_shape(c: 64, 5, 9, k: 64, groups: 4),
        sx_conv_shape(c: 32, 5, 9, k: 32, kernel: 3, pad: 1, groups: 8), sx_conv_shape(c: 58, 5, 9, k: 58, groups: 2),
        sx_conv_shape(c: 15, 4, 9, k: 21, kernel: 3, pad: 1, groups: 3),
        sx_conv_shape(c: 16, 4, 9, k: 48, kernel: 3, pad: 1, groups: 16),
        sx_conv_shape(c: 12, 4, 9, k: 20, kernel: 3, pad: 1, groups: 4, from: plain),
        // Depthwise.
        sx_conv_shape(n: 2, c: 24, 7, 15, k: 24, kernel: 3, pad: 1, groups: 24),
        sx_conv_shape(c: 32, 9, 40, k: 32, kernel: 5, stride: 2, pad: 2, groups: 32),
        sx_conv_shape(c: 7, 9, 9, k: 7, kernel: 7, pad: 3, groups: 7, to: nhwc),
        sx_conv_shape(c: 16, 9, 20, k: 16, kernel: 3, dilation: 2, pad: 2, groups: 16, to: plain),
        sx_conv_shape(c: 20, 7, 7, k: 20, kernel: 3, pad: 1, groups: 20),
        sx_conv_shape(n: 2, c: 16, 3, 29, k: 16, kernel: 5, pad: 2, groups: 16),
        sx_conv_shape(c: 16, 11, 31, k: 16, kernel: 3, stride: 2, pad: 1, groups: 16),
        sx_conv_shape(c: 16, 2, 2, k: 16, kernel: 5, pad: 6, groups: 16),
    ]

    @Test(arguments: shapes.indices) func sumsStayWithinTheRoundingBound(_ index: Int) {
        let reference = ConvReference(Self.shapes[index], seed: UInt64(index), withResidual: index % 2 == 0)
        atEveryIsaLevel { level in
            for edge in GuardedFloats.Edge.allCases {
                let (values, clean) = reference.run(edge: edge)
                #expect(clean, "level \(level.rawValue): something outside the output was touched")
                let wrong = values.indices.first {
                    !(abs(Double(values[$0]) - reference.sums[$0]) <= reference.bound($0))
                }
                #expect(wrong == nil, "level \(level.rawValue), element \(wrong ?? 0)")
            }
        }
    }

    @Test(arguments: [1, 4, 16] as [Int32]) func threadsDoNotChangeABit(_ threads: Int32) {
        for index in [6, 13, 16, 26, 29, 36] {
            let reference = ConvReference(Self.shapes[index], seed: 7)
            atEveryIsaLevel { _ in #expect(reference.run(threads: threads).values == reference.run(threads: 2).values) }
        }
    }

    @Test(arguments: [SX_LAYOUT_BLOCKED16, SX_LAYOUT_NHWC, SX_LAYOUT_PLAIN].map(\.rawValue))
    func everyActivationFollowsTheResidual(_ layout: UInt32) {
        let shape = sx_conv_shape(c: 16, 5, 17, k: 35, kernel: 3, pad: 1, to: sx_layout(rawValue: layout))
        let reference = ConvReference(shape, seed: 3, withResidual: true)
        atEveryIsaLevel { level in
            let sums = reference.run().values
            for op in [
                SX_UNARY_RELU, SX_UNARY_CLIP, SX_UNARY_LEAKY_RELU, SX_UNARY_SIGMOID, SX_UNARY_SILU, SX_UNARY_TANH,
                SX_UNARY_HARD_SWISH, SX_UNARY_GELU,
            ] {
                let activation = sx_activation(op: op, a: -0.5, b: 0.75)
                let (values, clean) = reference.run(nil, activation)
                var expected = sums
                sx_unary(activation, sums, &expected, Int64(sums.count), 1)
                #expect(values == expected && clean, "level \(level.rawValue), op \(op.rawValue)")
            }
        }
    }

    /// Whole panels without a residual stay in registers, whichever way they are computed.
    @Test func activationsOfWholePanelsFollowTheSums() {
        let cases: [(sx_conv_shape, sx_conv_algorithm)] = [
            (sx_conv_shape(c: 16, 5, 17, k: 32), SX_CONV_DIRECT),
            (sx_conv_shape(c: 32, 5, 17, k: 32, kernel: 3, pad: 1, groups: 32), SX_CONV_DEPTHWISE),
            (sx_conv_shape(c: 16, 12, 16, k: 16, kernel: 3, pad: 1), SX_CONV_WINOGRAD),
        ]
        for (shape, algorithm) in cases {
            let reference = ConvReference(shape, seed: 4)
            atEveryIsaLevel { level in
                let sums = reference.run(algorithm).values
                for op in [SX_UNARY_LEAKY_RELU, SX_UNARY_RELU, SX_UNARY_SILU] {
                    let activation = sx_activation(op: op, a: 0.1, b: 0)
                    var expected = sums
                    sx_unary(activation, sums, &expected, Int64(sums.count), 1)
                    #expect(
                        reference.run(algorithm, activation).values == expected,
                        "level \(level.rawValue), op \(op.rawValue)")
                }
            }
        }
    }

    @Test func aNaNReachesExactlyTheOutputsThatReadIt() {
        var shape = sx_conv_shape(c: 16, 1, 20, k: 32, kernel: 1)
        let algorithm = sx_conv_choose(&shape, true)
        var x = [Float](repeating: 1, count: 20 * 16)
        x[7 * 16 + 3] = .nan
        var packed = [Float](repeating: 0, count: Int(sx_conv_packed_bytes(&shape, algorithm)) / 4)
        let weights = [Float](repeating: 1, count: 32 * 16)
        atEveryIsaLevel { _ in
            sx_conv_pack(&shape, algorithm, weights, nil, &packed, 1)
            for op in [SX_UNARY_RELU, SX_UNARY_CLIP, SX_UNARY_TANH] {
                var epilogue = sx_conv_epilogue(residual: nil, activation: sx_activation(op: op, a: 0, b: 6))
                var y = [Float](repeating: 0, count: 20 * 32)
                var scratch = [Float](repeating: 0, count: Int(sx_conv_scratch_bytes(&shape, algorithm, 1)) / 4)
                sx_conv(&shape, algorithm, x, packed, &epilogue, &y, &scratch, 1)
                #expect(y.indices.allSatisfy { y[$0].isNaN == ($0 / 16 % 20 == 7) })
            }
        }
    }

    @Test func headOutputsLeaveTheirNeighboursAlone() {
        var shape = sx_conv_shape(c: 16, 3, 9, k: 18, kernel: 3, pad: 1, to: SX_LAYOUT_NHWC)
        shape.output_pixel_stride = 25
        let reference = ConvReference(shape, seed: 5)
        atEveryIsaLevel { _ in
            let (values, clean) = reference.run()
            #expect(clean)
            #expect(values.indices.allSatisfy { abs(Double(values[$0]) - reference.sums[$0]) <= reference.bound($0) })
        }
    }

    @Test func tableOfAlgorithmsSplitsByShape() {
        var depthwise = sx_conv_shape(c: 32, 4, 4, k: 32, kernel: 3, pad: 1, groups: 32)
        var dense = sx_conv_shape(c: 32, 4, 4, k: 32, kernel: 3, pad: 1)
        #expect(String(cString: sx_conv_algorithm_name(sx_conv_choose(&depthwise, true))) == "depthwise")
        #expect(String(cString: sx_conv_algorithm_name(sx_conv_choose(&dense, true))) == "direct")
        dense.k = 1 << 40
        dense.c = 1 << 40
        #expect(sx_conv_packed_bytes(&dense, SX_CONV_DIRECT) == -1)
    }
}
