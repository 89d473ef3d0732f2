import CKernels
import Glibc
import TestSupport
import Testing

/// Attention against double precision, for queries, keys and values cut out of one projection and for transposed keys.
@Suite struct AttentionTests {
    struct Case: Sendable {
        var batch = 1
        var heads = 2
        var rows: Int
        var keys: Int
        var depth: Int
        var columns: Int
        var transposesKeys = false
    }

    /// Around the tiles (14 rows, 32 columns), the blocks of 112 rows and of 256 steps of a reduction.
    static let cases = [
        Case(rows: 1, keys: 1, depth: 1, columns: 1),
        Case(batch: 2, heads: 3, rows: 15, keys: 31, depth: 8, columns: 33),
        Case(rows: 14, keys: 32, depth: 64, columns: 64, transposesKeys: true),
        Case(batch: 2, rows: 29, keys: 65, depth: 5, columns: 7, transposesKeys: true),
        Case(heads: 1, rows: 113, keys: 40, depth: 16, columns: 16),
        Case(heads: 1, rows: 20, keys: 530, depth: 300, columns: 20),
    ]

    private func view(_ offset: Int, _ strides: [Int]) -> sx_attention_view {
        sx_attention_view(
            batch_stride: Int64(strides[0]), head_stride: Int64(strides[1]), row_stride: Int64(strides[2]),
            column_stride: Int64(strides[3]))
    }

    private func run(_ c: Case, edge: GuardedFloats.Edge, threads: Int32) -> (y: [Float], exact: [Double], clean: Bool)
    {
        var random = SeededRandom(UInt64(c.rows * 1000 + c.keys))
        let (b, h) = (c.batch, c.heads)
        let q = GuardedFloats(random.floats(b * c.rows * h * c.depth, in: -2...2), flushAt: edge)
        let k = GuardedFloats(random.floats(b * c.keys * h * c.depth, in: -2...2), flushAt: edge)
        let v = GuardedFloats(random.floats(b * c.keys * h * c.columns), flushAt: edge)
        let y = GuardedFloats(b * c.rows * h * c.columns, flushAt: edge)
        // [batch, row, head, column]; transposed keys are [batch, head, depth, key].
        func strides(_ rows: Int, _ columns: Int) -> [Int] { [rows * h * columns, columns, h * columns, 1] }
        let qs = strides(c.rows, c.depth)
        let ks = c.transposesKeys ? [h * c.depth * c.keys, c.depth * c.keys, 1, c.keys] : strides(c.keys, c.depth)
        let (vs, ys) = (strides(c.keys, c.columns), strides(c.rows, c.columns))
        var args = sx_attention_args()
        (args.batch, args.heads, args.rows) = (Int64(b), Int64(h), Int64(c.rows))
        (args.keys, args.depth, args.columns) = (Int64(c.keys), Int64(c.depth), Int64(c.columns))
        args.scale = 0.3
        args.q = UnsafePointer(q.pointer)
        args.k = UnsafePointer(k.pointer)
        args.v = UnsafePointer(v.pointer)
        args.y = y.pointer
        (args.q_view, args.k_view) = (view(0, qs), view(0, ks))
        (args.v_view, args.y_view) = (view(0, vs), view(0, ys))
        let scratch = GuardedFloats(Int(sx_attention_scratch_bytes(&args, threads)) / 4)
        sx_attention(&args, scratch.pointer, threads)
        var exact = [Double](repeating: 0, count: y.count)
        for bi in 0..<b {
            for hi in 0..<h {
                for m in 0..<c.rows {
                    var weights = (0..<c.keys).map { l -> Double in
                        (0..<c.depth).reduce(0.0) { sum, d in
                            sum + Double(q.pointer[bi * qs[0] + hi * qs[1] + m * qs[2] + d])
                                * Double(k.pointer[bi * ks[0] + hi * ks[1] + l * ks[2] + d * ks[3]])
                        } * Double(Float(0.3))
                    }
                    let top = weights.max() ?? 0
                    weights = weights.map { exp($0 - top) }
                    let total = weights.reduce(0, +)
                    for e in 0..<c.columns {
                        exact[bi * ys[0] + hi * ys[1] + m * ys[2] + e] =
                            weights.indices.reduce(0.0) {
                                $0 + weights[$1] / total * Double(v.pointer[bi * vs[0] + hi * vs[1] + $1 * vs[2] + e])
                            }
                    }
                }
            }
        }
        return (y.array, exact, y.isIntact && scratch.isIntact)
    }

    /// A score of magnitude s is off by some K 2^-24 s, which its exponential carries on; values are at most 1.
    @Test(arguments: cases.indices) func staysNearDoublePrecision(_ index: Int) {
        atEveryIsaLevel { level in
            for edge in GuardedFloats.Edge.allCases {
                let (y, exact, clean) = run(Self.cases[index], edge: edge, threads: 2)
                #expect(clean, "level \(level.rawValue): something outside was touched")
                expectClose(y, exact, absolute: 2e-5, "level \(level.rawValue)")
            }
        }
    }

    @Test func threadsDoNotChangeABit() {
        atEveryIsaLevel { _ in
            for c in Self.cases {
                #expect(sameBits(run(c, edge: .end, threads: 1).y, run(c, edge: .end, threads: 5).y))
            }
        }
    }

    @Test func scratchThatOverflowsIsRefused() {
        var args = sx_attention_args()
        (args.batch, args.heads, args.rows, args.columns) = (1, 1, 1 << 20, 1 << 40)
        (args.keys, args.depth) = (1 << 40, 1 << 40)
        #expect(sx_attention_scratch_bytes(&args, 1) == -1)
    }
}
