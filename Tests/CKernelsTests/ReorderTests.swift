import CKernels
import TestSupport
import Testing

@Suite struct ReorderTests {
    @Test(arguments: [1, 15, 16, 17, 40] as [Int64], [1, 15, 16, 33, 1030] as [Int64])
    func everyElementFindsItsPlace(_ c: Int64, _ pixels: Int64) {
        let n: Int64 = 2
        var random = SeededRandom(UInt64(c * pixels))
        let values = random.floats(Int(n * c * pixels))
        let blockedCount = Int(n * sx_blocks(c) * 16 * pixels)
        atEveryIsaLevel { _ in
            for other in [SX_LAYOUT_PLAIN, SX_LAYOUT_NHWC] {
                for edge in GuardedFloats.Edge.allCases {
                    let source = GuardedFloats(values, flushAt: edge)
                    let blocked = GuardedFloats(blockedCount, flushAt: edge)
                    sx_reorder(other, SX_LAYOUT_BLOCKED16, n, c, pixels, source.pointer, blocked.pointer, 2)
                    var right = blocked.isIntact
                    for image in 0..<n {
                        for channel in 0..<(sx_blocks(c) * 16) {
                            for i in 0..<pixels {
                                let to = ((image * sx_blocks(c) + channel / 16) * pixels + i) * 16 + channel % 16
                                let from =
                                    other == SX_LAYOUT_PLAIN
                                    ? (image * c + channel) * pixels + i : (image * pixels + i) * c + channel
                                right = right && blocked.pointer[Int(to)] == (channel < c ? values[Int(from)] : 0)
                            }
                        }
                    }
                    #expect(right)
                    let back = GuardedFloats(values.count, flushAt: edge)
                    sx_reorder(SX_LAYOUT_BLOCKED16, other, n, c, pixels, blocked.pointer, back.pointer, 2)
                    #expect(back.array == values && back.isIntact)
                }
            }
        }
    }
}
