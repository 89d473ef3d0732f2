import CKernels
import TestSupport
import Testing

@Suite struct QuantTests {
    private func map(count: Int, step: Int = 0) -> sx_quant_map {
        var map = sx_quant_map()
        (map.outer, map.extent, map.groups, map.count) = (1, Int64(count), 1, Int64(max(count, 1)))
        (map.groups_per_parameter, map.step) = (1, Int64(step))
        return map
    }

    /// Halves go to the even neighbour; what is out of range, infinite or no number, to an end of the range.
    @Test func rounding() {
        let x: [Float] = [-0.5, 0.5, 1.5, 2.5, -1.5, -2.5, 0.49999997, 126.5, 127.5, 1e30, -1e30, .infinity, .nan, 3.2]
        let wanted: [Int8] = [0, 0, 2, 2, -2, -2, 0, 126, 127, 127, -128, 127, -128, 3]
        atEveryIsaLevel { _ in
            var map = map(count: x.count)
            var y = [Int8](repeating: 1, count: x.count + 1)
            sx_quantize(&map, x, [1], nil, -128, 127, &y, 1, 1)
            #expect(y == wanted + [1])
        }
    }

    @Test(arguments: [(-128, 127, 1), (0, 255, 1), (-8, 7, 1), (-32768, 32767, 2), (0, 65535, 2)])
    func quantizeAndBack(low: Int, high: Int, byteSize: Int) {
        atEveryIsaLevel { _ in
            for count in [1, 2, 15, 16, 17, 33, 100] {
                for step in [0, 1] {
                    var random = SeededRandom(UInt64(count))
                    let x = GuardedFloats(random.floats(count, in: -300...300))
                    let scale = GuardedFloats(random.floats(step == 0 ? 1 : count, in: 0.5...2))
                    let zero = (0..<scale.count).map { _ in Int32.random(in: Int32(low)...Int32(high), using: &random) }
                    let y = GuardedFloats((count * byteSize + 3) / 4)
                    var map = map(count: count, step: step)
                    sx_quantize(
                        &map, x.pointer, scale.pointer, zero, Int32(low), Int32(high), y.pointer, Int32(byteSize), 1)
                    let back = GuardedFloats(count)
                    if byteSize == 1 {
                        sx_dequantize(&map, y.pointer, low < 0, scale.pointer, zero, back.pointer, 1)
                    }
                    for i in 0..<count {
                        let own = i * step
                        let whole = (x.pointer[i] / scale.pointer[own]).rounded(.toNearestOrEven)
                        let wanted = min(max(Int(whole) + Int(zero[own]), low), high)
                        let raw = UnsafeRawPointer(y.pointer)
                        let got: Int =
                            switch (byteSize, low < 0) {
                            case (1, true): Int(raw.load(fromByteOffset: i, as: Int8.self))
                            case (1, false): Int(raw.load(fromByteOffset: i, as: UInt8.self))
                            case (_, true): Int(raw.load(fromByteOffset: 2 * i, as: Int16.self))
                            default: Int(raw.load(fromByteOffset: 2 * i, as: UInt16.self))
                            }
                        #expect(got == wanted, "element \(i) of \(count)")
                        if byteSize == 1 {
                            #expect(back.pointer[i] == Float(wanted - Int(zero[own])) * scale.pointer[own])
                        }
                    }
                    #expect(back.isIntact)
                }
            }
        }
    }
}
