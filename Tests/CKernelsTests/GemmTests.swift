import CKernels
import TestSupport
import Testing

/// One product with everything that can vary; the reference is float64, the bound the standard one for a sum of k
/// products in any order: k + 4 roundings of the sum of the absolute values.
private struct GemmCase {
    var m = 1, n = 1, k = 1, batch = 1
    var transposeA = false, transposeB = false, packed = false
    var alpha: Float = 1, beta: Float = 1
    var sharedA = false, sharedB = false
    var bias: (row: Int, column: Int, batch: Int)?
    var activation = sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0)
    var gap = 0  // extra floats between rows

    private func matrix(
        _ rows: Int, _ columns: Int, _ random: inout SeededRandom, edge: GuardedFloats.Edge, copies: Int
    )
        -> (floats: GuardedFloats, ld: Int, stride: Int)
    {
        let ld = columns + gap
        let stride = rows * ld
        let count = max(0, (copies - 1) * stride + (rows > 0 ? (rows - 1) * ld + columns : 0))
        return (GuardedFloats(random.floats(count), flushAt: edge), ld, stride)
    }

    func check(edge: GuardedFloats.Edge, level: sx_isa, seed: UInt64) {
        var random = SeededRandom(seed)
        let a = matrix(transposeA ? k : m, transposeA ? m : k, &random, edge: edge, copies: sharedA ? 1 : batch)
        let b = matrix(
            transposeB ? n : k, transposeB ? k : n, &random, edge: edge, copies: sharedB || packed ? 1 : batch)
        let c = matrix(m, n, &random, edge: edge, copies: batch)
        let before = c.floats.array
        let biasFloats = bias.map { s in
            GuardedFloats(
                random.floats((m - 1) * s.row + (n - 1) * s.column + (batch - 1) * s.batch + 1), flushAt: edge)
        }
        var args = sx_gemm_args()
        (args.m, args.n, args.k, args.batch) = (Int64(m), Int64(n), Int64(k), Int64(batch))
        (args.alpha, args.beta) = (alpha, beta)
        (args.a, args.lda, args.batch_stride_a, args.transpose_a) = (
            UnsafePointer(a.floats.pointer), Int64(a.ld), sharedA ? 0 : Int64(a.stride), transposeA
        )
        (args.b, args.ldb, args.batch_stride_b, args.transpose_b) = (
            UnsafePointer(b.floats.pointer), Int64(b.ld), sharedB || packed ? 0 : Int64(b.stride), transposeB
        )
        (args.c, args.ldc, args.batch_stride_c) = (c.floats.pointer, Int64(c.ld), Int64(c.stride))
        if let bias, let biasFloats {
            args.bias = UnsafePointer(biasFloats.pointer)
            (args.bias_row_stride, args.bias_column_stride, args.bias_batch_stride) = (
                Int64(bias.row), Int64(bias.column), Int64(bias.batch)
            )
        }
        args.activation = activation
        let packedBytes = Int(sx_gemm_packed_bytes(Int64(k), Int64(n)))
        let packedB = UnsafeMutableRawPointer.allocate(byteCount: max(packedBytes, 64), alignment: 64)
        defer { packedB.deallocate() }
        if packed {
            sx_gemm_pack_b(Int64(k), Int64(n), b.floats.pointer, Int64(b.ld), transposeB, packedB, 2)
            args.packed_b = UnsafeRawPointer(packedB)
            args.b = nil
        }
        var results: [[Float]] = []
        for threads: Int32 in [1, 2, 3] {
            for (i, value) in before.enumerated() { c.floats.pointer[i] = value }
            let bytes = Int(sx_gemm_scratch_bytes(&args, threads))
            let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 64), alignment: 64)
            defer { scratch.deallocate() }
            sx_gemm(&args, scratch, threads)
            results.append(c.floats.array)
        }
        let what = "\(self) at level \(level.rawValue)"
        #expect(sameBits(results[0], results[1]) && sameBits(results[0], results[2]), "threads differ: \(what)")
        #expect(c.floats.isIntact)
        let got = results[0], av = a.floats.array, bv = b.floats.array
        for (i, value) in before.enumerated() where i % c.ld >= n {
            if got[i] != value { Issue.record("wrote between the rows: \(what)"); return }
        }
        for z in 0..<batch {
            let a0 = sharedA ? 0 : z * a.stride, b0 = sharedB || packed ? 0 : z * b.stride
            for i in 0..<m {
                for j in 0..<n {
                    var sum = 0.0, magnitude = 0.0
                    for p in 0..<k {
                        let product =
                            Double(av[a0 + (transposeA ? p * a.ld + i : i * a.ld + p)])
                            * Double(bv[b0 + (transposeB ? j * b.ld + p : p * b.ld + j)])
                        sum += product
                        magnitude += abs(product)
                    }
                    sum *= Double(alpha)
                    magnitude *= Double(abs(alpha))
                    if let bias, let biasFloats {
                        let term =
                            Double(beta) * Double(biasFloats.pointer[i * bias.row + j * bias.column + z * bias.batch])
                        sum += term
                        magnitude += abs(term)
                    }
                    let bound = Double(k + 4) * 0x1p-24 * magnitude + 1e-30
                    let value = Double(got[z * c.stride + i * c.ld + j])
                    let (exact, slack): (Double, Double) =
                        switch activation.op {
                        case SX_UNARY_RELU: (max(sum, 0), 0)
                        case SX_UNARY_CLIP: (min(max(sum, Double(activation.a)), Double(activation.b)), 0)
                        case SX_UNARY_LEAKY_RELU: (sum < 0 ? sum * Double(activation.a) : sum, 0x1p-24 * abs(sum))
                        default: (sum, 0)
                        }
                    if !(abs(value - exact) <= bound + slack) {
                        Issue.record("C[\(z), \(i), \(j)] = \(value), exactly \(exact), bound \(bound): \(what)")
                        return
                    }
                }
            }
        }
    }
}

@Suite struct GemmTests {
    private func checkAll(_ cases: [GemmCase]) {
        atEveryIsaLevel { level in
            for (i, c) in cases.enumerated() {
                c.check(edge: i % 2 == 0 ? .end : .start, level: level, seed: UInt64(i))
            }
        }
    }

    @Test func sizesAroundTheTiles() {
        var cases: [GemmCase] = []
        for m in [1, 2, 3, 5, 6, 7, 12, 13, 14, 15, 29] {
            for n in [1, 15, 16, 17, 31, 32, 33, 65] {
                for packed in [false, true] { cases.append(GemmCase(m: m, n: n, k: 7, packed: packed)) }
            }
        }
        checkAll(cases)
    }

    @Test func depthsAroundTheBlocks() {
        var cases: [GemmCase] = []
        for k in [0, 1, 2, 63, 64, 65, 255, 256, 257, 520] {
            for (m, n) in [(3, 33), (15, 40), (30, 17)] {
                for packed in [false, true] {
                    cases.append(GemmCase(m: m, n: n, k: k, packed: packed, bias: (0, 1, 0)))
                }
            }
        }
        checkAll(cases)
    }

    @Test func manyBlocksOfRowsAndColumns() {
        checkAll([
            GemmCase(m: 340, n: 70, k: 40), GemmCase(m: 180, n: 530, k: 12, packed: true),
            GemmCase(m: 2, n: 1100, k: 70), GemmCase(m: 170, n: 129, k: 260, transposeB: true),
        ])
    }

    @Test func transposesAndLeadingDimensions() {
        var cases: [GemmCase] = []
        for transposeA in [false, true] {
            for transposeB in [false, true] {
                for packed in [false, true] {
                    for m in [3, 16, 31] {
                        cases.append(
                            GemmCase(
                                m: m, n: 37, k: 19, transposeA: transposeA, transposeB: transposeB, packed: packed,
                                alpha: 0.75, gap: 3))
                    }
                }
            }
        }
        checkAll(cases)
    }

    @Test func batches() {
        checkAll([
            GemmCase(m: 9, n: 20, k: 8, batch: 3), GemmCase(m: 9, n: 20, k: 8, batch: 3, sharedA: true),
            GemmCase(m: 9, n: 20, k: 8, batch: 3, sharedB: true, bias: (20, 1, 180)),
            GemmCase(m: 9, n: 20, k: 8, batch: 3, packed: true, bias: (0, 0, 1)),
            GemmCase(m: 50, n: 64, k: 64, batch: 6, transposeB: true),
        ])
    }

    @Test func biasesAndActivations() {
        let activations = [
            sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0), sx_activation(op: SX_UNARY_RELU, a: 0, b: 0),
            sx_activation(op: SX_UNARY_CLIP, a: -0.5, b: 0.75), sx_activation(op: SX_UNARY_LEAKY_RELU, a: 0.25, b: 0),
        ]
        var cases: [GemmCase] = []
        for (row, column) in [(0, 0), (1, 0), (0, 1), (35, 1), (1, 40)] {
            for beta: Float in [1, -0.5] {
                for activation in activations {
                    cases.append(
                        GemmCase(m: 17, n: 35, k: 11, beta: beta, bias: (row, column, 0), activation: activation))
                }
            }
        }
        checkAll(cases)
    }

    @Test func nanReachesItsRowAndColumnOnly() {
        atEveryIsaLevel { _ in
            let (m, n, k) = (15, 40, 20)
            var aValues = [Float](repeating: 1, count: m * k), out = [Float](repeating: 0, count: m * n)
            aValues[4 * k + 3] = .nan
            let bValues = [Float](repeating: 1, count: k * n)
            aValues.withUnsafeBufferPointer { a in
                bValues.withUnsafeBufferPointer { b in
                    out.withUnsafeMutableBufferPointer { c in
                        var args = sx_gemm_args()
                        (args.m, args.n, args.k, args.batch, args.alpha) = (Int64(m), Int64(n), Int64(k), 1, 1)
                        (args.a, args.lda, args.b, args.ldb, args.c, args.ldc) = (
                            a.baseAddress, Int64(k), b.baseAddress, Int64(n), c.baseAddress, Int64(n)
                        )
                        args.activation = sx_activation(op: SX_UNARY_RELU, a: 0, b: 0)
                        let scratch = UnsafeMutableRawPointer.allocate(
                            byteCount: Int(sx_gemm_scratch_bytes(&args, 1)), alignment: 64)
                        defer { scratch.deallocate() }
                        sx_gemm(&args, scratch, 1)
                    }
                }
            }
            for i in 0..<m { for j in 0..<n { #expect(out[i * n + j].isNaN == (i == 4)) } }
        }
    }

    @Test func packedSizesThatOverflowAreRefused() {
        #expect(sx_gemm_packed_bytes(3, 33) == 3 * 16 * 3 * 4)
        #expect(sx_gemm_packed_bytes(.max / 8, 33) == -1)
        #expect(sx_gemm_packed_bytes(-1, 3) == -1)
    }

    @Test func doublePrecision() {
        atEveryIsaLevel { level in
            for (m, n, k) in [
                (1, 1, 1), (1, 37, 40), (5, 33, 7), (6, 16, 200), (7, 5, 0), (200, 7, 30), (9, 270, 20), (260, 35, 200),
            ] {
                for transposes in [(false, false), (true, false), (false, true), (true, true)] {
                    checkDouble(m, n, k, transposes, beta: transposes.0 == transposes.1 ? 0 : 0.25, level)
                }
            }
        }
    }

    private func checkDouble(
        _ m: Int, _ n: Int, _ k: Int, _ transposes: (a: Bool, b: Bool), beta: Double, _ level: sx_isa
    ) {
        var random = SeededRandom(1)
        let gap = 3
        let (lda, ldb, ldc) = ((transposes.a ? m : k) + gap, (transposes.b ? k : n) + gap, n + gap)
        let a = random.floats(max(1, (transposes.a ? k : m)) * lda).map(Double.init)
        let b = random.floats(2 * max(1, (transposes.b ? n : k)) * ldb).map(Double.init)
        // With a beta of 0, C is not read.
        let before = [Double](repeating: beta == 0 ? .nan : 2, count: 2 * m * ldc)
        var results: [[Double]] = []
        for threads: Int32 in [1, 3] {
            var c = before
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    c.withUnsafeMutableBufferPointer { c in
                        var args = sx_gemm_f64_args()
                        (args.m, args.n, args.k, args.batch) = (Int64(m), Int64(n), Int64(k), 2)
                        (args.alpha, args.beta) = (0.5, beta)
                        (args.a, args.lda, args.transpose_a) = (a.baseAddress, Int64(lda), transposes.a)
                        (args.b, args.ldb, args.transpose_b) = (b.baseAddress, Int64(ldb), transposes.b)
                        args.batch_stride_b = Int64(b.count / 2)
                        (args.c, args.ldc, args.batch_stride_c) = (c.baseAddress, Int64(ldc), Int64(m * ldc))
                        let scratch = UnsafeMutableRawPointer.allocate(
                            byteCount: max(64, Int(sx_gemm_f64_scratch_bytes(&args, 3))), alignment: 64)
                        defer { scratch.deallocate() }
                        sx_gemm_f64(&args, scratch, threads)
                    }
                }
            }
            results.append(c)
        }
        for z in 0..<2 {
            for i in 0..<m {
                for j in 0..<ldc {
                    let index = (z * m + i) * ldc + j
                    guard results[0][index].bitPattern == results[1][index].bitPattern else {
                        Issue.record("threads differ: \(m) \(n) \(k) \(transposes) at level \(level.rawValue)")
                        return
                    }
                    var exact = before[index]
                    if j < n {
                        let sum = (0..<k).reduce(0.0) {
                            $0 + a[transposes.a ? $1 * lda + i : i * lda + $1]
                                * b[z * b.count / 2 + (transposes.b ? j * ldb + $1 : $1 * ldb + j)]
                        }
                        exact = 0.5 * sum + (beta == 0 ? 0 : beta * exact)
                    }
                    guard abs(results[0][index] - exact) <= Double(k + 4) * 0x1p-52 * Double(k + 4) || j >= n else {
                        Issue.record("C[\(z), \(i), \(j)]: \(m) \(n) \(k) \(transposes) at \(level.rawValue)")
                        return
                    }
                    guard j < n || results[0][index].bitPattern == exact.bitPattern else {
                        Issue.record("wrote between the rows: \(m) \(n) \(k) at \(level.rawValue)")
                        return
                    }
                }
            }
        }
    }
}
