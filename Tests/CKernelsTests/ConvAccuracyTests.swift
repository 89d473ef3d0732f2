import CKernels
import TestSupport
import Testing

/// Real shapes at sampled outputs, and many small random ones whole, against float64.
@Suite struct ConvAccuracyTests {
    static let winogradLimit = 5e-6  // of the output's root mean square

    @Test(arguments: YolactConvolutions.all.indices) func shapesOfTheYolactModels(_ index: Int) {
        let shape = YolactConvolutions.all[index]
        let sample = SampledConvolution(shape, seed: UInt64(index))
        atEveryIsaLevel { level in
            guard level == sx_isa_supported() else { return }  // the others would take minutes
            let direct = sample.run(SX_CONV_DIRECT)
            #expect(direct.worst <= 1, "direct: \(direct.worst) times the bound")
            guard shape.allowsWinograd else { return }
            let winograd = sample.run(SX_CONV_WINOGRAD)
            #expect(winograd.relativeRMS <= Self.winogradLimit, "Winograd: \(winograd.relativeRMS)")
        }
    }

    @Test(arguments: 0..<20) func twoThousandRandomShapes(_ part: Int) {
        var random = SeededRandom(UInt64(part) + 1000)
        atEveryIsaLevel { level in
            for round in 0..<100 {
                let shape = sx_conv_shape.random(&random)
                // Every shape at one level; the levels see different ones.
                guard round % (Int(sx_isa_supported().rawValue) + 1) == Int(level.rawValue) else { continue }
                let reference = ConvReference(shape, seed: UInt64(round), withResidual: round % 3 == 0)
                let (values, clean) = reference.run(SX_CONV_DIRECT)
                let within = values.indices.allSatisfy {
                    abs(Double(values[$0]) - reference.sums[$0]) <= reference.bound($0)
                }
                #expect(clean && within, "direct, level \(level.rawValue), \(shape)")
                guard shape.allowsWinograd else { continue }
                let winograd = reference.run(SX_CONV_WINOGRAD)
                let error = reference.relativeRMS(winograd.values)
                #expect(
                    winograd.clean && error <= Self.winogradLimit,
                    "Winograd, level \(level.rawValue), \(error), \(shape)")
            }
        }
    }
}

extension sx_conv_shape {
    /// What SX_CONV_WINOGRAD can compute.
    var allowsWinograd: Bool {
        kh == 3 && kw == 3 && stride_h == 1 && stride_w == 1 && dilation_h == 1 && dilation_w == 1 && groups == 1
            && input_layout == SX_LAYOUT_BLOCKED16
    }

    /// Up to two images of up to 13 by 13 pixels and 40 channels; half of the shapes suit Winograd.
    static func random(_ random: inout SeededRandom) -> sx_conv_shape {
        func one(of range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
        let winograd = Bool.random(using: &random)
        let groups: Int64 = winograd ? 1 : [1, 1, 1, 2, 4][Int(one(of: 0...4))]
        let input = winograd || Bool.random(using: &random) ? SX_LAYOUT_BLOCKED16 : SX_LAYOUT_PLAIN
        var shape = sx_conv_shape(
            n: one(of: 1...2), c: groups * one(of: 1...(40 / groups)), one(of: 1...13), one(of: 1...13),
            k: groups * one(of: 1...(40 / groups)), kernel: 3, pad: one(of: 0...3), groups: groups, from: input,
            to: sx_layout(rawValue: UInt32(one(of: 0...2))))
        if !winograd {
            (shape.kh, shape.kw) = (one(of: 1...5), one(of: 1...5))
            (shape.stride_h, shape.stride_w) = (one(of: 1...3), one(of: 1...3))
            (shape.dilation_h, shape.dilation_w) = (one(of: 1...2), one(of: 1...2))
        }
        // Any extent of the output is allowed: the padding at the end follows from it.
        shape.oh = max(1, (shape.h + shape.pad_top) / shape.stride_h + one(of: -2...2))
        shape.ow = max(1, (shape.w + shape.pad_left) / shape.stride_w + one(of: -2...2))
        return shape
    }
}

/// A convolution on random data whose outputs are computed whole by the library and in double precision at 48 places.
private struct SampledConvolution {
    let shape: sx_conv_shape
    let input: GuardedFloats, weights: GuardedFloats, bias: GuardedFloats

    init(_ shape: sx_conv_shape, seed: UInt64) {
        self.shape = shape
        var random = SeededRandom(seed)
        // A cycle of random floats of odd length, which repeats at no distance that a kernel looks at.
        let cycle = random.floats(99_991)
        let channels = shape.input_layout == SX_LAYOUT_PLAIN ? shape.c : sx_blocks(shape.c) * 16
        input = GuardedFloats(Int(channels * shape.h * shape.w))
        for i in 0..<input.count { input.pointer[i] = cycle[i % cycle.count] }
        weights = GuardedFloats(Int(shape.k * shape.c * shape.kh * shape.kw))
        for i in 0..<weights.count { weights.pointer[i] = cycle[(i * 7 + 13) % cycle.count] }
        bias = GuardedFloats(random.floats(Int(shape.k)))
    }

    /// - Returns: the largest error in units of the rounding bound, and the error relative to the output, both as root
    ///   mean squares.
    func run(_ algorithm: sx_conv_algorithm) -> (worst: Double, relativeRMS: Double) {
        var s = shape
        let packed = GuardedFloats(Int(sx_conv_packed_bytes(&s, algorithm)) / 4)
        sx_conv_pack(&s, algorithm, weights.pointer, bias.pointer, packed.pointer, 2)
        let scratch = GuardedFloats(Int(sx_conv_scratch_bytes(&s, algorithm, 2)) / 4)
        let channels = s.output_layout == SX_LAYOUT_BLOCKED16 ? sx_blocks(s.k) * 16 : s.k
        let y = GuardedFloats(Int(channels * s.oh * s.ow))
        var epilogue = sx_conv_epilogue(
            residual: nil, activation: sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0))
        sx_conv(&s, algorithm, input.pointer, packed.pointer, &epilogue, y.pointer, scratch.pointer, 2)
        var random = SeededRandom(9)
        var (worst, errors, power) = (0.0, 0.0, 0.0)
        for _ in 0..<48 {
            let k = Int64.random(in: 0..<s.k, using: &random)
            let pixel = Int64.random(in: 0..<(s.oh * s.ow), using: &random)
            let (sum, magnitude) = exact(k, pixel / s.ow, pixel % s.ow)
            let place =
                s.output_layout == SX_LAYOUT_BLOCKED16
                ? (k / 16 * s.oh * s.ow + pixel) * 16 + k % 16 : pixel * s.k + k
            let error = abs(Double(y.pointer[Int(place)]) - sum)
            worst = max(worst, error / (Double(s.c * s.kh * s.kw + 2) * 0x1p-24 * magnitude))
            errors += error * error
            power += sum * sum
        }
        return (worst, (errors / power).squareRoot())
    }

    private func exact(_ k: Int64, _ oy: Int64, _ ox: Int64) -> (sum: Double, magnitude: Double) {
        let s = shape
        var sum = Double(bias.pointer[Int(k)])
        var magnitude = abs(sum)
        let lanes: Int64 = s.input_layout == SX_LAYOUT_PLAIN ? 1 : 16
        for c in 0..<s.c {
            for ky in 0..<s.kh {
                let y = oy * s.stride_h - s.pad_top + ky
                guard y >= 0, y < s.h else { continue }
                for kx in 0..<s.kw {
                    let x = ox * s.stride_w - s.pad_left + kx
                    guard x >= 0, x < s.w else { continue }
                    let a = input.pointer[Int(((c / lanes * s.h + y) * s.w + x) * lanes + c % lanes)]
                    let product = Double(a) * Double(weights.pointer[Int(((k * s.c + c) * s.kh + ky) * s.kw + kx)])
                    sum += product
                    magnitude += abs(product)
                }
            }
        }
        return (sum, magnitude)
    }
}
