import GraphIR
import TensorCore
import Testing

@testable import Operators

/// What the official cases of quantized operators leave out.
@Suite struct QuantizationTests {
    private func bytes<T: TensorElement>(_ values: [T], _ dims: [Int]? = nil) throws -> Tensor {
        try Tensor(values, dims: dims ?? [values.count])
    }

    private func refuses(_ runner: NodeRunner, _ code: SardonyxError.Code, _ text: String, _ fault: SardonyxError?) {
        #expect(fault?.code == code, "\(runner.type): \(fault.map(String.init(describing:)) ?? "no error")")
        #expect(fault?.description.contains(text) == true, "\(fault.map(String.init(describing:)) ?? "")")
    }

    @Test func scalesMustFit() throws {
        let x = try floats([1, 2, 3, 4, 5, 6], [2, 3])
        let quantize = NodeRunner("QuantizeLinear")
        refuses(quantize, .shape, "2 and 3", quantize.fault(x, try floats([1, 1])))
        refuses(quantize, .shape, "[1, 2]", quantize.fault(x, try floats([1, 1], [1, 2])))
        let three = try floats([1, 1, 1])
        refuses(quantize, .shape, "zero point", quantize.fault(x, three, try bytes([UInt8(0), 0])))
        refuses(quantize, .unsupported, "int32", quantize.fault(x, three, try bytes([Int32(0), 0, 0])))
        let blocked = NodeRunner("QuantizeLinear", ["block_size": .int(2)])
        refuses(blocked, .shape, "1 and 2", blocked.fault(x, try floats([1, 1], [2, 1])))
        let negative = NodeRunner("DequantizeLinear", ["block_size": .int(-1)])
        refuses(negative, .shape, "-1", negative.fault(try bytes([Int8(1)]), try floats([1])))
        let faraway = NodeRunner("DequantizeLinear", ["axis": .int(2)])
        refuses(faraway, .shape, "axis", faraway.fault(try bytes([Int8(1), 2], [1, 2]), try floats([1, 1])))
        let kind = NodeRunner("QuantizeLinear", ["output_dtype": .int(1)])
        refuses(kind, .unsupported, "output_dtype", kind.fault(x, try floats([1])))
    }

    /// The quotient is rounded to the scale's type, and to `precision`.
    @Test func precision() throws {
        let x = try floats([2.4990234375])
        let half = try Tensor([Float16(1)], dims: [])
        // In float16 2.4990234375 lies between 2.498 and 2.5, a half that goes to 2; 4.99 tenths do not round up.
        let output = try NodeRunner("QuantizeLinear", opset: 23).run(try floats([3.4995]), half)
        #expect(try output[0]?.array(of: UInt8.self) == [4])
        let exact = try NodeRunner("QuantizeLinear", opset: 23, ["precision": .int(1)]).run(try floats([3.4995]), half)
        #expect(try exact[0]?.array(of: UInt8.self) == [3])
        #expect(try NodeRunner("QuantizeLinear").run(x, half)[0]?.array(of: UInt8.self) == [2])
    }

    @Test func blocksEndShort() throws {
        let x = try bytes([Int8](1...10), [2, 5])
        let dequantize = NodeRunner("DequantizeLinear", ["axis": .int(1), "block_size": .int(2)])
        let scale = try floats([1, 10, 100, 2, 20, 200], [2, 3])
        let y = try dequantize.run(x, scale)
        #expect(try y[0]?.array(of: Float.self) == [1, 2, 30, 40, 500, 12, 14, 160, 180, 2000])
        let outer = NodeRunner("DequantizeLinear", ["axis": .int(0), "block_size": .int(2)])
        let columns = try outer.run(try bytes([Int8](1...6), [3, 2]), try floats([1, 2, 10, 20], [2, 2]))
        #expect(try columns[0]?.array(of: Float.self) == [1, 4, 3, 8, 50, 120])
    }

    @Test func rowAndColumnZeroPoints() throws {
        let a = try bytes([UInt8](1...8), [2, 2, 2])
        let b = try bytes([Int8](1...4), [2, 2])
        let rows = try bytes([UInt8](1...4), [2, 2, 1])
        let y = try NodeRunner("MatMulInteger").run(a, b, rows, try bytes([Int8(1), 2]))
        #expect(y[0]?.shape.dims == [2, 2, 2])
        #expect(try y[0]?.array(of: Int32.self) == [2, 2, 4, 4, 6, 6, 8, 8])
        let product = NodeRunner("MatMulInteger")
        refuses(product, .shape, "zero point of a", product.fault(a, b, try bytes([UInt8(1), 2, 3])))
        refuses(product, .shape, "inner", product.fault(a, try bytes([Int8(1), 2, 3], [3, 1])))
    }

    @Test func float8Products() throws {
        let one = try floats([1], [])
        func codes(_ values: [UInt8], _ dims: [Int]) throws -> Tensor {
            let buffer = try Buffer(byteCount: values.count)
            for (i, value) in values.enumerated() {
                buffer.pointer.storeBytes(of: value, toByteOffset: i, as: UInt8.self)
            }
            return Tensor(dtype: .float8e4m3fn, shape: try Shape(dims), buffer: buffer)
        }
        // 0x38 is 1, 0x40 is 2, 0x48 is 4.
        let zero = try codes([0], [])
        let y = try NodeRunner("QLinearMatMul").run(
            try codes([0x38, 0x40], [1, 2]), one, zero, try codes([0x40, 0x38], [2, 1]), one, zero, one, zero)
        #expect(y[0]?.dtype == .float8e4m3fn)
        #expect(y[0]?.withUnsafeBytes { $0.first } == 0x48)
    }

    @Test func convolutionsMustFit() throws {
        let x = try bytes([UInt8](repeating: 3, count: 18), [1, 2, 3, 3])
        let w = try bytes([Int8](repeating: 1, count: 8), [1, 2, 2, 2])
        let conv = NodeRunner("ConvInteger")
        refuses(conv, .shape, "weight 1 x 1", conv.fault(x, try bytes([Int8](repeating: 1, count: 4), [1, 1, 2, 2])))
        refuses(conv, .shape, "1 element", conv.fault(x, w, try bytes([UInt8(0), 0])))
        refuses(conv, .shape, "[1]", conv.fault(x, w, try bytes([UInt8(0)]), try bytes([Int8(0), 0])))
        let padded = NodeRunner("ConvInteger", ["pads": .ints([1, 1, 0, 0])])
        let y = try padded.run(x, w, try bytes([UInt8(1)]))
        // Padding counts as the zero point.
        #expect(try y[0]?.array(of: Int32.self) == [4, 8, 8, 8, 16, 16, 8, 16, 16])
    }

    @Test func dynamicRangeHoldsZero() throws {
        let runner = NodeRunner("DynamicQuantizeLinear", outputs: 3)
        let flat = try runner.run(try floats([0, 0, 0]))
        #expect(try flat[0]?.array(of: UInt8.self) == [0, 0, 0])
        let empty = try runner.run(try floats([], [0]))
        #expect(empty[0]?.shape.dims == [0])
        let long = try runner.run(try floats((0..<10_000).map { Float($0 % 511) - 255 }))
        #expect(try long[1]?.array(of: Float.self) == [2])
        #expect(try long[2]?.array(of: UInt8.self) == [128])
    }
}
