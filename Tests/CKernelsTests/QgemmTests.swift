import CKernels
import Glibc
import TestSupport
import Testing

/// Bytes that end at an inaccessible page.
private struct GuardedBytes {
    private let floats: GuardedFloats
    let pointer: UnsafeMutablePointer<UInt8>
    let count: Int

    init(_ count: Int, _ random: inout SeededRandom) {
        floats = GuardedFloats((count + 3) / 4)
        let start = UnsafeMutableRawPointer(floats.pointer) + (floats.count * 4 - count)
        pointer = start.assumingMemoryBound(to: UInt8.self)
        self.count = count
        for i in 0..<count { pointer[i] = UInt8.random(in: .min ... .max, using: &random) }
    }

    func number(_ index: Int, signed: Bool) -> Int32 {
        signed ? Int32(Int8(bitPattern: pointer[index])) : Int32(pointer[index])
    }
}

/// A product of bytes in every form against sums in Swift.
private struct QgemmCase {
    var m = 1, n = 1, k = 1
    var signedA = false, signedB = false, transposeA = false, transposeB = false
    var packedA = false, packedB = false, rowZeros = false, columnZeros = false

    init(m: Int, n: Int, k: Int, _ random: inout SeededRandom) {
        (self.m, self.n, self.k) = (m, n, k)
        func flip() -> Bool { Bool.random(using: &random) }
        (signedA, signedB, transposeA, transposeB) = (flip(), flip(), flip(), flip())
        (packedA, packedB, rowZeros, columnZeros) = (flip(), flip(), flip(), flip())
    }

    func check(_ random: inout SeededRandom) {
        let (a, b) = (GuardedBytes(m * k, &random), GuardedBytes(k * n, &random))
        let (zeroA, zeroB) = (
            GuardedBytes(rowZeros ? m : 1, &random), GuardedBytes(columnZeros ? n : 1, &random)
        )
        let c = GuardedFloats(m * n)
        var g = sx_qgemm_args()
        (g.m, g.n, g.k, g.images, g.groups) = (Int64(m), Int64(n), Int64(k), 1, 1)
        g.a = sx_qgemm_matrix(
            elements: a.pointer, row_stride: Int64(transposeA ? 1 : k), column_stride: Int64(transposeA ? m : 1),
            is_signed: signedA, zero: zeroA.pointer, zero_step: rowZeros ? 1 : 0)
        g.b = sx_qgemm_matrix(
            elements: b.pointer, row_stride: Int64(transposeB ? 1 : n), column_stride: Int64(transposeB ? k : 1),
            is_signed: signedB, zero: zeroB.pointer, zero_step: columnZeros ? 1 : 0)
        (g.c, g.c_row, g.c_column) = (UnsafeMutableRawPointer(c.pointer), Int64(n), 1)
        let packedRows = aligned(Int(sx_qgemm_packed_a_bytes(g.m, g.k)))
        let packedPanels = aligned(Int(sx_qgemm_packed_b_bytes(g.k, g.n)))
        let scratch = aligned(Int(sx_qgemm_scratch_bytes(&g, 2)))
        defer { for memory in [packedRows, packedPanels, scratch] { free(memory) } }
        if packedA {
            sx_qgemm_pack_a(g.m, g.k, &g.a, packedRows, 2)
            g.packed_a = UnsafeRawPointer(packedRows)
        }
        if packedB {
            sx_qgemm_pack_b(g.k, g.n, &g.b, packedPanels, 2)
            g.packed_b = UnsafeRawPointer(packedPanels)
        }
        sx_qgemm(&g, scratch, 2)
        var wrong = 0
        for row in 0..<m {
            let zero = zeroA.number(rowZeros ? row : 0, signed: signedA)
            for column in 0..<n {
                let columnZero = zeroB.number(columnZeros ? column : 0, signed: signedB)
                var sum: Int32 = 0
                for p in 0..<k {
                    let x = a.number(row * Int(g.a.row_stride) + p * Int(g.a.column_stride), signed: signedA)
                    let y = b.number(p * Int(g.b.row_stride) + column * Int(g.b.column_stride), signed: signedB)
                    sum &+= (x - zero) &* (y - columnZero)
                }
                if Int32(bitPattern: c.pointer[row * n + column].bitPattern) != sum { wrong += 1 }
            }
        }
        #expect(wrong == 0 && c.isIntact, "\(self)")
    }

    private func aligned(_ bytes: Int) -> UnsafeMutableRawPointer? { aligned_alloc(64, (bytes / 64 + 1) * 64) }
}

@Suite struct QgemmTests {
    @Test func sumsAreExact() {
        atEveryIsaLevel { _ in
            var random = SeededRandom(8)
            for m in [1, 2, 5, 6, 7, 12, 13, 25] {
                for n in [1, 15, 16, 17, 33, 70] {
                    for k in [0, 1, 2, 3, 31] { QgemmCase(m: m, n: n, k: k, &random).check(&random) }
                }
            }
            QgemmCase(m: 200, n: 40, k: 1100, &random).check(&random)
            QgemmCase(m: 3, n: 300, k: 600, &random).check(&random)
        }
    }

    /// The product of the extremes that pmaddubsw would saturate, and a sum that passes 2^31.
    @Test func extremes() {
        atEveryIsaLevel { _ in
            let k = 40_000
            let a = [UInt8](repeating: 255, count: k), b = [Int8](repeating: -128, count: k)
            var g = sx_qgemm_args()
            (g.m, g.n, g.k, g.images, g.groups, g.c_row, g.c_column) = (1, 1, Int64(k), 1, 1, 1, 1)
            let scratch = aligned_alloc(64, Int(sx_qgemm_scratch_bytes(&g, 1) / 64 + 1) * 64)
            defer { free(scratch) }
            var sum: Int32 = 0
            let zeros: [UInt8] = [0, 127]
            a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in
                    zeros.withUnsafeBytes { zeros in
                        g.a = sx_qgemm_matrix(
                            elements: a.baseAddress, row_stride: 0, column_stride: 1, is_signed: false,
                            zero: zeros.baseAddress, zero_step: 0)
                        g.b = sx_qgemm_matrix(
                            elements: b.baseAddress, row_stride: 1, column_stride: 0, is_signed: true,
                            zero: zeros.baseAddress.map { $0 + 1 }, zero_step: 0)
                        withUnsafeMutablePointer(to: &sum) { target in
                            g.c = UnsafeMutableRawPointer(target)
                            sx_qgemm(&g, scratch, 1)
                        }
                    }
                }
            }
            #expect(sum == Int32(truncatingIfNeeded: k * 255 * -255))
        }
    }
}
