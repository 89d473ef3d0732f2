import Testing

@testable import TensorCore

@Suite struct MiniFloatTests {
    private static let formats: [DType] = [
        .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float6e2m3, .float6e3m2, .float4e2m1,
    ]

    @Test(arguments: formats)
    func everyPatternComesBack(dtype: DType) throws {
        let format = try #require(MiniFloat(dtype))
        for code in 0..<UInt8(dtype.packedBitSize == 8 ? 255 : 1 << (dtype.packedBitSize ?? 0)) {
            let value = format.decode(code)
            guard !value.isNaN else { continue }
            #expect(format.encode(value, saturate: false) == code)
        }
    }

    /// Values from the OCP 8-bit and microscaling specifications and the tables of ONNX Cast.
    @Test func knownNumbers() throws {
        let e4m3 = try #require(MiniFloat(.float8e4m3fn))
        #expect(e4m3.decode(0x7e) == 448)
        #expect(e4m3.decode(0x01) == 0x1p-9)
        #expect(e4m3.decode(0x7f).isNaN)
        #expect(e4m3.encode(464, saturate: false) == 0x7e)
        #expect(e4m3.encode(465, saturate: false) == 0x7f)
        #expect(e4m3.encode(-1e9, saturate: true) == 0xfe)
        let e5m2 = try #require(MiniFloat(.float8e5m2))
        #expect(e5m2.encode(.infinity, saturate: false) == 0x7c)
        #expect(e5m2.encode(.infinity, saturate: true) == 0x7b)
        let fnuz = try #require(MiniFloat(.float8e4m3fnuz))
        #expect(fnuz.encode(-0.0, saturate: true) == 0)
        #expect(fnuz.encode(.nan, saturate: true) == 0x80)
        #expect(fnuz.decode(0x7f) == 240)
        let e2m1 = try #require(MiniFloat(.float4e2m1))
        #expect((0..<8).map { e2m1.decode($0) } == [0, 0.5, 1, 1.5, 2, 3, 4, 6])
        #expect(e2m1.encode(2.5, saturate: true) == 4)
        #expect(e2m1.encode(5, saturate: true) == 6)
    }

    @Test func scales() {
        #expect(ScaleFloat.decode(127) == 1)
        #expect(ScaleFloat.encode(3, saturate: true, rounding: .up) == 129)
        #expect(ScaleFloat.encode(3, saturate: true, rounding: .down) == 128)
        #expect(ScaleFloat.encode(2.9, saturate: true, rounding: .nearest) == 128)
        #expect(ScaleFloat.encode(.infinity, saturate: true, rounding: .up) == 254)
        #expect(ScaleFloat.encode(.infinity, saturate: false, rounding: .nearest) == 255)
    }

    @Test func bfloat16RoundsToEven() {
        #expect(BFloat16(1).bits == 0x3f80)
        #expect(BFloat16(Float(bitPattern: 0x3f80_8000)).bits == 0x3f80)
        #expect(BFloat16(Float(bitPattern: 0x3f81_8000)).bits == 0x3f82)
        #expect(BFloat16(Float(bitPattern: 0x7f80_0001)).float.isNaN)
        #expect(BFloat16(.greatestFiniteMagnitude).float == .infinity)
    }
}
