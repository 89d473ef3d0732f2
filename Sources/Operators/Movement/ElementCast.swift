import CKernels
import TensorCore

/// Conversion of elements from one type to another by the rules of ONNX Cast.
///
/// Types of the kernel `sx_cast` convert there. Narrower ones, one element a byte, pass through float64 or int8,
/// which hold them exactly; strings are read and written one by one.
package struct ElementCast: Sendable {
    private enum Form: Sendable {
        case kernel(sx_type)
        /// In memory an element of the kernel type; only so many low bits count.
        case bits(sx_type, Int, signed: Bool)
        case mini(MiniFloat)
        case scale
        case text
    }
    private let source: Form
    private let target: Form
    private let saturate: Bool
    private let rounding: ScaleFloat.Rounding
    /// Elements converted at a time, so that intermediate values stay on the stack.
    private static let chunk = 64

    /// - Throws: `unsupported` for complex numbers.
    package init(
        from: DType, to: DType, saturate: Bool = true, rounding: ScaleFloat.Rounding = .up, at place: some NodePlace
    ) throws(SardonyxError) {
        guard let source = Self.form(from), let target = Self.form(to) else {
            throw place.error(
                .unsupported, "cast", got: "\(from) to \(to)", allowed: "numbers, bool and string", hint: nil)
        }
        self.source = source
        self.target = target
        self.saturate = saturate
        self.rounding = rounding
    }

    private static func form(_ dtype: DType) -> Form? {
        switch dtype {
        case .string: .text
        case .float8e8m0: .scale
        case .int4: .bits(SX_TYPE_INT8, 4, signed: true)
        case .int2: .bits(SX_TYPE_INT8, 2, signed: true)
        case .uint4: .bits(SX_TYPE_UINT8, 4, signed: false)
        case .uint2: .bits(SX_TYPE_UINT8, 2, signed: false)
        case .complex64, .complex128: nil
        default: MiniFloat(dtype).map(Form.mini) ?? .kernel(sx_type(UInt32(dtype.rawValue)))
        }
    }

    /// Converts `count` elements; source and target do not overlap.
    /// - Throws: `value` for a text that is not a number, with its position.
    package func run(
        from input: UnsafeRawPointer, to output: UnsafeMutableRawPointer, count: Int, threads: Int
    ) throws(SardonyxError) {
        switch (source, target) {
        case (.text, .text):
            output.assumingMemoryBound(to: String.self).update(
                from: input.assumingMemoryBound(to: String.self), count: count)
        case (.text, _):
            let texts = input.assumingMemoryBound(to: String.self)
            for index in 0..<count { try parse(texts[index], at: index, to: output) }
        case (.kernel(let from), .kernel(let to)), (.bits(let from, _, _), .kernel(let to)):
            sx_cast(from, to, input, output, Int64(count), Int32(threads))
        case (.kernel(let from), _), (.bits(let from, _, _), _):
            for start in stride(from: 0, to: count, by: Self.chunk) {
                let elements = input + start * Self.byteSize(from)
                write(elements, from, to: output, at: start, count: min(Self.chunk, count - start))
            }
        case (.mini, _), (.scale, _):
            let codes = input.assumingMemoryBound(to: UInt8.self)
            withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.chunk) { numbers in
                guard let base = numbers.baseAddress else { return }
                for start in stride(from: 0, to: count, by: Self.chunk) {
                    let size = min(Self.chunk, count - start)
                    for index in 0..<size { numbers[index] = decode(codes[start + index]) }
                    write(base, SX_TYPE_FLOAT64, to: output, at: start, count: size)
                }
            }
        }
    }

    private func decode(_ code: UInt8) -> Double {
        if case .mini(let format) = source { format.decode(code) } else { ScaleFloat.decode(code) }
    }

    /// Writes at most a chunk of elements of a kernel type as target elements `start…`.
    private func write(
        _ elements: UnsafeRawPointer, _ from: sx_type, to output: UnsafeMutableRawPointer, at start: Int, count: Int
    ) {
        let codes = output.assumingMemoryBound(to: UInt8.self) + start
        switch target {
        case .kernel(let to): sx_cast(from, to, elements, output + start * Self.byteSize(to), Int64(count), 1)
        case .bits(_, let width, let signed):
            // Out of range, whole numbers lose their higher bits, as Cast says. Through int8 also for unsigned types,
            // so that negative floats wrap like negative integers.
            sx_cast(from, SX_TYPE_INT8, elements, codes, Int64(count), 1)
            for index in 0..<count {
                let high = codes[index] << UInt8(8 - width)
                codes[index] =
                    signed ? UInt8(bitPattern: Int8(bitPattern: high) >> Int8(8 - width)) : high >> UInt8(8 - width)
            }
        case .mini, .scale:
            withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.chunk) { numbers in
                sx_cast(from, SX_TYPE_FLOAT64, elements, numbers.baseAddress, Int64(count), 1)
                for index in 0..<count {
                    if case .mini(let format) = target {
                        codes[index] = format.encode(numbers[index], saturate: saturate)
                    } else {
                        codes[index] = ScaleFloat.encode(numbers[index], saturate: saturate, rounding: rounding)
                    }
                }
            }
        case .text:
            let texts = output.assumingMemoryBound(to: String.self) + start
            for index in 0..<count { texts[index] = Self.text(elements, from, index) }
        }
    }

    private func parse(_ text: String, at index: Int, to output: UnsafeMutableRawPointer) throws(SardonyxError) {
        if var whole = Int64(text) {
            write(&whole, SX_TYPE_INT64, to: output, at: index, count: 1)
        } else if var whole = UInt64(text) {
            write(&whole, SX_TYPE_UINT64, to: output, at: index, count: 1)
        } else if var number = Double(text) {
            write(&number, SX_TYPE_FLOAT64, to: output, at: index, count: 1)
        } else {
            throw SardonyxError(.value, "", "element \(index)", got: "'\(text.prefix(128))'", allowed: "a number")
        }
    }

    /// The shortest decimal that reads back as the same number.
    private static func text(_ elements: UnsafeRawPointer, _ type: sx_type, _ index: Int) -> String {
        func element<T>(_: T.Type) -> T { elements.assumingMemoryBound(to: T.self)[index] }
        return switch type {
        case SX_TYPE_FLOAT32: element(Float.self).description
        case SX_TYPE_FLOAT64: element(Double.self).description
        case SX_TYPE_FLOAT16: element(Float16.self).description
        case SX_TYPE_BFLOAT16: element(BFloat16.self).description
        case SX_TYPE_INT8: element(Int8.self).description
        case SX_TYPE_INT16: element(Int16.self).description
        case SX_TYPE_INT32: element(Int32.self).description
        case SX_TYPE_INT64: element(Int64.self).description
        case SX_TYPE_UINT16: element(UInt16.self).description
        case SX_TYPE_UINT32: element(UInt32.self).description
        case SX_TYPE_UINT64: element(UInt64.self).description
        case SX_TYPE_BOOL: element(UInt8.self) == 0 ? "False" : "True"
        default: element(UInt8.self).description
        }
    }

    private static func byteSize(_ type: sx_type) -> Int { DType(rawValue: Int32(type.rawValue))?.byteSize ?? 1 }
}
