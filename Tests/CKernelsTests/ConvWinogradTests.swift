import CKernels
import TestSupport
import Testing

@Suite struct ConvWinogradTests {
    /// Maps around the tile of 4 by 4 and its blocks, channels around the slices of 32, all layouts.
    static let shapes: [sx_conv_shape] = [
        sx_conv_shape(c: 16, 1, 1, k: 16, kernel: 3, pad: 1), sx_conv_shape(c: 16, 4, 4, k: 32, kernel: 3, pad: 1),
        sx_conv_shape(c: 17, 5, 9, k: 33, kernel: 3, pad: 1), sx_conv_shape(c: 40, 8, 7, k: 48, kernel: 3),
        sx_conv_shape(n: 3, c: 32, 13, 14, k: 70, kernel: 3, pad: 1),
        sx_conv_shape(c: 16, 3, 40, k: 35, kernel: 3, pad: 2, to: SX_LAYOUT_NHWC),
        sx_conv_shape(c: 24, 21, 19, k: 18, kernel: 3, pad: 1, to: SX_LAYOUT_PLAIN),
        // Padding that whole tiles lie in.
        sx_conv_shape(c: 16, 2, 3, k: 16, kernel: 3, pad: 9),
        // Several blocks of tiles; slices split between chunks, an odd number of panels.
        sx_conv_shape(c: 64, 50, 47, k: 48, kernel: 3, pad: 1),
        sx_conv_shape(c: 320, 26, 25, k: 112, kernel: 3, pad: 1),
        // Transformed input beyond L2: several slices at once.
        sx_conv_shape(c: 800, 20, 20, k: 80, kernel: 3, pad: 1),
    ]

    @Test(arguments: shapes.indices) func errorsStayRelativeToTheOutput(_ index: Int) {
        let reference = ConvReference(Self.shapes[index], seed: UInt64(index), withResidual: index % 2 == 0)
        atEveryIsaLevel { level in
            for edge in GuardedFloats.Edge.allCases {
                let (values, clean) = reference.run(SX_CONV_WINOGRAD, edge: edge)
                #expect(clean, "level \(level.rawValue): something outside the output was touched")
                let error = reference.relativeRMS(values)
                #expect(error <= ConvAccuracyTests.winogradLimit, "level \(level.rawValue): \(error)")
            }
        }
    }

    @Test(arguments: [1, 3, 16] as [Int32]) func threadsAndRepetitionDoNotChangeABit(_ threads: Int32) {
        for index in Self.shapes.indices where index < 10 {
            let reference = ConvReference(Self.shapes[index], seed: 7)
            atEveryIsaLevel { _ in
                let expected = reference.run(SX_CONV_WINOGRAD, threads: 2).values
                for _ in 0..<2 { #expect(reference.run(SX_CONV_WINOGRAD, threads: threads).values == expected) }
            }
        }
    }

    @Test(arguments: [SX_LAYOUT_BLOCKED16, SX_LAYOUT_NHWC, SX_LAYOUT_PLAIN].map(\.rawValue))
    func everyActivationFollowsTheResidual(_ layout: UInt32) {
        let shape = sx_conv_shape(c: 16, 6, 17, k: 35, kernel: 3, pad: 1, to: sx_layout(rawValue: layout))
        let reference = ConvReference(shape, seed: 3, withResidual: true)
        atEveryIsaLevel { level in
            let sums = reference.run(SX_CONV_WINOGRAD).values
            for op in [SX_UNARY_RELU, SX_UNARY_CLIP, SX_UNARY_LEAKY_RELU, SX_UNARY_SILU, SX_UNARY_TANH, SX_UNARY_GELU] {
                let activation = sx_activation(op: op, a: -0.5, b: 0.75)
                let (values, clean) = reference.run(SX_CONV_WINOGRAD, activation)
                var expected = sums
                sx_unary(activation, sums, &expected, Int64(sums.count), 1)
                #expect(values == expected && clean, "level \(level.rawValue), op \(op.rawValue)")
            }
        }
    }

    @Test func headOutputsLeaveTheirNeighboursAlone() {
        var shape = sx_conv_shape(c: 16, 7, 9, k: 18, kernel: 3, pad: 1, to: SX_LAYOUT_NHWC)
        shape.output_pixel_stride = 25
        let reference = ConvReference(shape, seed: 5)
        atEveryIsaLevel { _ in
            let (values, clean) = reference.run(SX_CONV_WINOGRAD)
            #expect(clean && reference.relativeRMS(values) <= ConvAccuracyTests.winogradLimit)
        }
    }

    /// Filters that sum to zero on an input far from zero: only its fluctuation is left of every sum.
    @Test func cancellationKeepsTheBound() {
        let shape = sx_conv_shape(c: 64, 20, 20, k: 32, kernel: 3)
        var reference = ConvReference(shape, seed: 11)
        reference.replace(
            input: { $0 + 1 },
            weights: { weights in
                for filter in 0..<(weights.count / 9) {
                    let mean = weights[(filter * 9)..<(filter * 9 + 9)].reduce(0, +) / 9
                    for tap in 0..<9 { weights[filter * 9 + tap] -= mean }
                }
            })
        atEveryIsaLevel { _ in
            let error = reference.relativeRMS(reference.run(SX_CONV_WINOGRAD).values)
            #expect(error <= ConvAccuracyTests.winogradLimit, "\(error)")
        }
    }

    /// One activation a thousand times the others spoils only what its tile rounds away.
    @Test func anOutlierKeepsTheBound() {
        let shape = sx_conv_shape(c: 64, 20, 20, k: 32, kernel: 3, pad: 1)
        var reference = ConvReference(shape, seed: 12)
        var index = 0
        reference.replace(
            input: {
                index += 1
                return index == 4321 ? 1000 : $0
            }, weights: { _ in })
        atEveryIsaLevel { _ in
            let error = reference.relativeRMS(reference.run(SX_CONV_WINOGRAD).values)
            #expect(error <= ConvAccuracyTests.winogradLimit, "\(error)")
        }
    }

    @Test func theModelTakesWinogradForLargeMapsOnly() {
        func choice(_ c: Int64, _ extent: Int64, _ k: Int64, allowed: Bool = true) -> sx_conv_algorithm {
            var shape = sx_conv_shape(c: c, extent, extent, k: k, kernel: 3, pad: 1)
            return sx_conv_choose(&shape, allowed)
        }
        #expect(choice(64, 138, 64) == SX_CONV_WINOGRAD)
        #expect(choice(512, 18, 512) == SX_CONV_WINOGRAD)
        #expect(choice(256, 5, 256) == SX_CONV_DIRECT)
        #expect(choice(64, 138, 64, allowed: false) == SX_CONV_DIRECT)
        var strided = sx_conv_shape(c: 64, 138, 138, k: 64, kernel: 3, stride: 2, pad: 1)
        #expect(sx_conv_choose(&strided, true) == SX_CONV_DIRECT)
        #expect(String(cString: sx_conv_algorithm_name(SX_CONV_WINOGRAD)) == "winograd")
    }

    @Test func theLoadTimeTestTellsGoodWeightsFromBad() {
        var shape = sx_conv_shape(c: 48, 30, 30, k: 70, kernel: 3, pad: 1)
        var random = SeededRandom(4)
        var weights = random.floats(70 * 48 * 9)
        let bias = random.floats(70)
        func error(_ algorithm: sx_conv_algorithm, spoilt: Bool = false) -> Double {
            var packed = [Float](repeating: 0, count: Int(sx_conv_packed_bytes(&shape, algorithm)) / 4)
            sx_conv_pack(&shape, algorithm, weights, bias, &packed, 2)
            if spoilt { packed[packed.count / 2] += 0.5 }
            return sx_conv_sample_error(&shape, algorithm, weights, bias, packed, 2)
        }
        atEveryIsaLevel { _ in
            #expect(error(SX_CONV_DIRECT) <= 1e-6)
            #expect(error(SX_CONV_WINOGRAD) <= ConvAccuracyTests.winogradLimit)
            #expect(error(SX_CONV_WINOGRAD, spoilt: true) > 1e-5)
        }
        weights[100] = .nan
        #expect(!(error(SX_CONV_WINOGRAD) <= 1e-5))
    }
}
