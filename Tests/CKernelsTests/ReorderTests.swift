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

    /// Every third channel of two sources in turn, backwards, so that no run is longer than one.
    @Test(arguments: [1, 5, 16, 33] as [Int64], [1, 17, 1030] as [Int64])
    func gatheredChannelsComeFromTheirPlaces(_ c: Int64, _ pixels: Int64) {
        let (n, counts): (Int64, [Int64]) = (2, [19, 32])
        var random = SeededRandom(UInt64(c * 7919 + pixels))
        let plain = counts.map { random.floats(Int(n * $0 * pixels)) }
        var (source, channel): ([Int32], [Int32]) = ([], [])
        for i in 0..<c {
            let count = counts[Int(i % 2)]
            source.append(Int32(i % 2))
            channel.append(Int32(count - 1 - 3 * i % count))
        }
        var expected: [Float] = []
        for image in 0..<n {
            for i in 0..<Int(c) {
                let start = Int((image * counts[Int(source[i])] + Int64(channel[i])) * pixels)
                expected += plain[Int(source[i])][start..<start + Int(pixels)]
            }
        }
        atEveryIsaLevel { _ in
            for layout in [SX_LAYOUT_PLAIN, SX_LAYOUT_BLOCKED16] {
                func stored(_ values: [Float], _ channels: Int64) -> GuardedFloats {
                    guard layout == SX_LAYOUT_BLOCKED16 else { return GuardedFloats(values, flushAt: .end) }
                    let blocked = GuardedFloats(Int(n * sx_blocks(channels) * 16 * pixels), flushAt: .end)
                    sx_reorder(SX_LAYOUT_PLAIN, layout, n, channels, pixels, values, blocked.pointer, 1)
                    return blocked
                }
                let sources = zip(plain, counts).map { stored($0, $1) }
                let right = stored(expected, c)
                let result = GuardedFloats(right.array.count, flushAt: .start)
                let pointers = sources.map { Optional(UnsafePointer($0.pointer)) }
                withExtendedLifetime(sources) {
                    sx_gather_channels(layout, n, c, pixels, pointers, counts, source, channel, result.pointer, 2)
                }
                #expect(result.array == right.array && result.isIntact)
            }
        }
    }
}
