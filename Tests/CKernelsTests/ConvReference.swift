import CKernels
import TestSupport

/// A convolution of random numbers with its result in double precision.
struct ConvReference {
    var shape: sx_conv_shape
    private(set) var input: [Float]  // [n, c, h, w]
    private(set) var weights: [Float]  // [k, c / groups, kh, kw]
    let bias: [Float]
    let residual: [Float]?  // [n, k, oh, ow]
    /// Sums and the sums of the absolute products, [n, k, oh, ow].
    private(set) var sums: [Double] = []
    private(set) var magnitudes: [Double] = []

    init(_ shape: sx_conv_shape, seed: UInt64, withResidual: Bool = false) {
        var random = SeededRandom(seed)
        let s = shape
        self.shape = shape
        input = random.floats(Int(s.n * s.c * s.h * s.w))
        weights = random.floats(Int(s.k * (s.c / s.groups) * s.kh * s.kw))
        bias = random.floats(Int(s.k))
        residual = withResidual ? random.floats(Int(s.n * s.k * s.oh * s.ow)) : nil
        computeSums()
    }

    /// Other data in place of the random ones.
    mutating func replace(input change: (Float) -> Float, weights changeWeights: (inout [Float]) -> Void) {
        input = input.map(change)
        changeWeights(&weights)
        computeSums()
    }

    private mutating func computeSums() {
        let s = shape
        sums = []
        magnitudes = []
        for n in 0..<s.n { for k in 0..<s.k { for oy in 0..<s.oh { for ox in 0..<s.ow { append(n, k, oy, ox) } } } }
    }

    private mutating func append(_ n: Int64, _ k: Int64, _ oy: Int64, _ ox: Int64) {
        let s = shape
        let groupInputs = s.c / s.groups
        let firstInput = k / (s.k / s.groups) * groupInputs
        var sum = Double(bias[Int(k)])
        var magnitude = abs(sum)
        if let residual {
            let value = Double(residual[sums.count])
            sum += value
            magnitude += abs(value)
        }
        for c in 0..<groupInputs {
            for ky in 0..<s.kh {
                let y = oy * s.stride_h - s.pad_top + ky * s.dilation_h
                guard y >= 0, y < s.h else { continue }
                for kx in 0..<s.kw {
                    let x = ox * s.stride_w - s.pad_left + kx * s.dilation_w
                    guard x >= 0, x < s.w else { continue }
                    let a = input[Int(((n * s.c + firstInput + c) * s.h + y) * s.w + x)]
                    let product = Double(a) * Double(weights[Int(((k * groupInputs + c) * s.kh + ky) * s.kw + kx)])
                    sum += product
                    magnitude += abs(product)
                }
            }
        }
        sums.append(sum)
        magnitudes.append(magnitude)
    }

    /// Rounding of a float32 sum of this many terms in any order: Higham, Accuracy and Stability, (3.5), with the bias,
    /// the residual and the rounding of the products on top.
    func bound(_ index: Int) -> Double {
        let terms = Double(shape.c / shape.groups * shape.kh * shape.kw) + 3
        return terms * 0x1p-24 * magnitudes[index] + 1e-37
    }

    /// The error of `values` relative to the exact sums, both as root mean squares.
    func relativeRMS(_ values: [Float]) -> Double {
        let error = zip(values, sums).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
        return (error / sums.reduce(1e-60) { $0 + $1 * $1 }).squareRoot()
    }

    /// The library's result at the current ISA level as [n, k, oh, ow], computed between guard pages, and whether all
    /// that must stay untouched or zero was.
    /// - Parameter algorithm: nil for the one that the library would choose.
    func run(
        _ algorithm: sx_conv_algorithm? = nil,
        _ activation: sx_activation = sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0), edge: GuardedFloats.Edge = .end,
        threads: Int32 = 2
    ) -> (values: [Float], clean: Bool) {
        var s = shape
        let algorithm = algorithm ?? sx_conv_choose(&s, false)
        let x = GuardedFloats(blocked(input, s.n, s.c, s.h * s.w, if: s.input_layout), flushAt: edge)
        let w = GuardedFloats(weights, flushAt: edge)
        let b = GuardedFloats(bias, flushAt: edge)
        let packed = GuardedFloats(Int(sx_conv_packed_bytes(&s, algorithm)) / 4, flushAt: edge)
        sx_conv_pack(&s, algorithm, w.pointer, b.pointer, packed.pointer, threads)
        let scratch = GuardedFloats(Int(sx_conv_scratch_bytes(&s, algorithm, threads)) / 4, flushAt: edge)
        let pixels = s.oh * s.ow
        let y: GuardedFloats
        if let residual {  // the output may be the residual's own memory
            y = GuardedFloats(stored(residual, s, pixels), flushAt: edge)
        } else {
            y = GuardedFloats(
                stored([Float](repeating: .nan, count: Int(s.n * s.k * pixels)), s, pixels), flushAt: edge)
        }
        var epilogue = sx_conv_epilogue(
            residual: residual == nil ? nil : UnsafePointer(y.pointer), activation: activation)
        sx_conv(&s, algorithm, x.pointer, packed.pointer, &epilogue, y.pointer, scratch.pointer, threads)

        var values: [Float] = []
        var clean = y.isIntact && x.isIntact && packed.isIntact && scratch.isIntact
        for n in 0..<s.n { for k in 0..<s.k { for i in 0..<pixels { values.append(y.pointer[place(s, n, k, i)]) } } }
        if s.output_layout == SX_LAYOUT_BLOCKED16 {
            for n in 0..<s.n {
                for k in s.k..<(sx_blocks(s.k) * 16) {
                    for i in 0..<pixels { clean = clean && y.pointer[place(s, n, k, i)] == 0 }
                }
            }
        }
        if s.output_layout == SX_LAYOUT_NHWC, s.output_pixel_stride > s.k {
            for i in 0..<(s.n * pixels - 1) { clean = clean && y.pointer[Int(i * s.output_pixel_stride + s.k)] == -7 }
        }
        return (values, clean)
    }

    /// Where element (n, k, pixel) of the output lies.
    private func place(_ s: sx_conv_shape, _ n: Int64, _ k: Int64, _ i: Int64) -> Int {
        let pixels = s.oh * s.ow
        switch s.output_layout {
        case SX_LAYOUT_BLOCKED16: return Int(((n * sx_blocks(s.k) + k / 16) * pixels + i) * 16 + k % 16)
        case SX_LAYOUT_NHWC: return Int((n * pixels + i) * max(s.output_pixel_stride, s.k) + k)
        default: return Int((n * s.k + k) * pixels + i)
        }
    }

    /// Output memory that holds `values` [n, k, pixels]; what lies between pixels is -7, padding lanes are 0.
    private func stored(_ values: [Float], _ s: sx_conv_shape, _ pixels: Int64) -> [Float] {
        let last = place(
            s, s.n - 1, s.output_layout == SX_LAYOUT_BLOCKED16 ? sx_blocks(s.k) * 16 - 1 : s.k - 1, pixels - 1)
        var memory = [Float](repeating: s.output_layout == SX_LAYOUT_BLOCKED16 ? 0 : -7, count: last + 1)
        var index = 0
        for n in 0..<s.n {
            for k in 0..<s.k {
                for i in 0..<pixels {
                    memory[place(s, n, k, i)] = values[index]
                    index += 1
                }
            }
        }
        return memory
    }
}

/// [n, c, pixels] in blocked16 layout where `layout` says so, else as it is.
private func blocked(_ values: [Float], _ n: Int64, _ c: Int64, _ pixels: Int64, if layout: sx_layout) -> [Float] {
    guard layout == SX_LAYOUT_BLOCKED16 else { return values }
    let blocks = sx_blocks(c)
    var result = [Float](repeating: 0, count: Int(n * blocks * pixels * 16))
    for image in 0..<n {
        for channel in 0..<c {
            for i in 0..<pixels {
                result[Int(((image * blocks + channel / 16) * pixels + i) * 16 + channel % 16)] =
                    values[Int((image * c + channel) * pixels + i)]
            }
        }
    }
    return result
}

extension sx_conv_shape {
    /// A square kernel and stride, with padding given at both ends.
    init(
        n: Int64 = 1, c: Int64, _ h: Int64, _ w: Int64, k: Int64, kernel: Int64 = 1, stride: Int64 = 1,
        dilation: Int64 = 1, pad: Int64 = 0, groups: Int64 = 1, from input: sx_layout = SX_LAYOUT_BLOCKED16,
        to output: sx_layout = SX_LAYOUT_BLOCKED16
    ) {
        self.init()
        (self.n, self.c, self.h, self.w, self.k) = (n, c, h, w, k)
        (kh, kw, stride_h, stride_w, dilation_h, dilation_w) = (kernel, kernel, stride, stride, dilation, dilation)
        (pad_top, pad_left, self.groups) = (pad, pad, groups)
        oh = (h + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1
        ow = (w + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1
        (input_layout, output_layout) = (input, output)
    }
}
