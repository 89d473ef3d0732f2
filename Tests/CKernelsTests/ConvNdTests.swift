import CKernels
import TestSupport
import Testing

@Suite struct ConvNdTests {
    struct Case: Sendable {
        var n = 1
        var c, k: Int
        var groups = 1
        var input, kernel, stride, dilation, pad, output: [Int]
    }

    static let convolutions = [
        Case(
            c: 3, k: 4, input: [5, 6, 7], kernel: [3, 2, 3], stride: [1, 2, 1], dilation: [1, 1, 2], pad: [1, 0, 2],
            output: [5, 3, 7]),
        Case(n: 2, c: 4, k: 6, groups: 2, input: [9], kernel: [4], stride: [3], dilation: [1], pad: [2], output: [4]),
        Case(
            c: 2, k: 2, input: [2, 2, 2, 3], kernel: [2, 1, 2, 2], stride: [1, 1, 1, 1], dilation: [1, 1, 1, 1],
            pad: [0, 0, 1, 0], output: [1, 2, 3, 2]),
        Case(
            c: 1, k: 1, input: [2, 2], kernel: [3, 3], stride: [1, 1], dilation: [1, 1], pad: [9, 0], output: [3, 1]),
        // Many blocks of positions; channels in parts; the input as the matrix.
        Case(
            c: 40, k: 20, groups: 2, input: [9, 11, 13], kernel: [3, 3, 3], stride: [1, 1, 1], dilation: [1, 1, 1],
            pad: [1, 1, 1], output: [9, 11, 13]),
        Case(
            c: 7, k: 150, input: [5, 9], kernel: [3, 2], stride: [1, 2], dilation: [1, 1], pad: [1, 0], output: [5, 4]),
        Case(
            c: 20, k: 17, input: [6, 7, 20], kernel: [1, 1, 1], stride: [1, 1, 1], dilation: [1, 1, 1],
            pad: [0, 0, 0], output: [6, 7, 20]),
    ]

    /// `output` includes output padding, ONNX ConvTranspose.
    static let transposed = [
        Case(
            n: 2, c: 4, k: 3, input: [5, 6], kernel: [2, 2], stride: [2, 2], dilation: [1, 1], pad: [0, 0],
            output: [10, 12]),
        Case(
            c: 6, k: 4, groups: 2, input: [4, 5], kernel: [3, 4], stride: [2, 3], dilation: [2, 1], pad: [1, 2],
            output: [10, 13]),
        Case(c: 3, k: 5, input: [7], kernel: [5], stride: [1], dilation: [1], pad: [2], output: [7]),
        Case(
            c: 2, k: 2, input: [2, 3, 2], kernel: [2, 3, 3], stride: [3, 1, 2], dilation: [1, 2, 1], pad: [0, 1, 1],
            output: [5, 5, 4]),
        // Bands of rows, and of a row; channels in parts; rows that nothing reaches.
        Case(
            c: 3, k: 9, input: [150, 40], kernel: [4, 4], stride: [2, 2], dilation: [1, 1], pad: [1, 1],
            output: [300, 80]),
        Case(c: 5, k: 16, input: [2500], kernel: [16], stride: [8], dilation: [1], pad: [4], output: [20_000]),
        Case(
            c: 3, k: 2, input: [3, 2], kernel: [1, 1], stride: [4, 3], dilation: [1, 1], pad: [0, 0], output: [11, 5]),
    ]

    @Test(arguments: convolutions.indices) func convolution(_ index: Int) {
        atEveryIsaLevel { _ in check(Self.convolutions[index], transposed: false) }
    }

    @Test(arguments: transposed.indices) func transposedConvolution(_ index: Int) {
        atEveryIsaLevel { _ in check(Self.transposed[index], transposed: true) }
    }

    private func check(_ test: Case, transposed: Bool) {
        var random = SeededRandom(11)
        let taps = test.kernel.reduce(1, *)
        let x = GuardedFloats(random.floats(test.n * test.c * test.input.reduce(1, *)))
        let w = GuardedFloats(random.floats(test.c * test.k / test.groups * taps))
        let bias = GuardedFloats(random.floats(test.k))
        let (sums, magnitudes) = reference(test, transposed, x.array, w.array, bias.array)
        var shape = sx_conv_nd_shape()
        (shape.n, shape.c, shape.k, shape.groups) = (Int64(test.n), Int64(test.c), Int64(test.k), Int64(test.groups))
        shape.spatial_rank = Int32(test.input.count)
        fill(&shape.in, test.input)
        fill(&shape.out, test.output)
        fill(&shape.kernel, test.kernel)
        fill(&shape.stride, test.stride)
        fill(&shape.dilation, test.dilation)
        fill(&shape.pad_begin, test.pad)
        let relu = sx_activation(op: SX_UNARY_RELU, a: 0, b: 0)
        let packed = GuardedFloats(w.array.count)
        if transposed { sx_conv_transpose_pack(&shape, w.pointer, packed.pointer, 2) }
        let bytes = transposed ? sx_conv_transpose_scratch_bytes(&shape, 3) : sx_conv_nd_scratch_bytes(&shape, 3)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(Int(bytes), 64), alignment: 64)
        defer { scratch.deallocate() }
        let (y, again) = (GuardedFloats(sums.count), GuardedFloats(sums.count))
        for (y, threads) in [(again, Int32(3)), (y, 1)] {
            if transposed {
                sx_conv_transpose(
                    &shape, x.pointer, packed.pointer, bias.pointer, relu, y.pointer, scratch, threads)
            } else {
                sx_conv_nd(&shape, x.pointer, w.pointer, bias.pointer, relu, y.pointer, scratch, threads)
            }
        }
        #expect(sameBits(y.array, again.array) && packed.isIntact)
        let bound = Double(test.c * taps + 2) * 0x1p-24
        #expect(y.isIntact)
        #expect(sums.indices.allSatisfy { abs(Double(y.pointer[$0]) - max(sums[$0], 0)) <= bound * magnitudes[$0] })
    }

    private func fill(_ field: inout (Int64, Int64, Int64, Int64), _ values: [Int]) {
        withUnsafeMutableBytes(of: &field) { bytes in
            let slots = bytes.bindMemory(to: Int64.self)
            for (d, value) in values.enumerated() { slots[d] = Int64(value) }
        }
    }

    /// Every (input, tap) pair adds to the output it reaches: the definition, in double precision.
    private func reference(_ test: Case, _ transposed: Bool, _ x: [Float], _ w: [Float], _ bias: [Float]) -> (
        [Double], [Double]
    ) {
        let inputs = test.input.reduce(1, *), outputs = test.output.reduce(1, *), taps = test.kernel.reduce(1, *)
        var sums = (0..<(test.n * test.k * outputs)).map { Double(bias[$0 / outputs % test.k]) }
        var magnitudes = sums.map { abs($0) }
        let groupInputs = test.c / test.groups, groupOutputs = test.k / test.groups
        for position in 0..<inputs {
            for tap in 0..<taps {
                guard
                    let output = target(
                        test, transposed, coordinates(position, test.input), coordinates(tap, test.kernel))
                else { continue }
                for n in 0..<test.n {
                    for c in 0..<test.c {
                        for local in 0..<groupOutputs {
                            let k = c / groupInputs * groupOutputs + local
                            let filter = transposed ? c * groupOutputs + local : k * groupInputs + c % groupInputs
                            let product =
                                Double(x[(n * test.c + c) * inputs + position]) * Double(w[filter * taps + tap])
                            sums[(n * test.k + k) * outputs + output] += product
                            magnitudes[(n * test.k + k) * outputs + output] += abs(product)
                        }
                    }
                }
            }
        }
        return (sums, magnitudes)
    }

    private func coordinates(_ index: Int, _ extents: [Int]) -> [Int] {
        var rest = index
        return extents.reversed().map { extent in
            defer { rest /= extent }
            return rest % extent
        }.reversed()
    }

    private func target(_ test: Case, _ transposed: Bool, _ input: [Int], _ tap: [Int]) -> Int? {
        var index = 0
        for d in input.indices {
            let shift = test.pad[d] - tap[d] * test.dilation[d]
            var o = transposed ? input[d] * test.stride[d] - shift : input[d] + shift
            if !transposed {
                guard o >= 0, o % test.stride[d] == 0 else { return nil }
                o /= test.stride[d]
            }
            guard o >= 0, o < test.output[d] else { return nil }
            index = index * test.output[d] + o
        }
        return index
    }
}
