import TensorCore

/// Where the elements of a tensor are, and how they are written there.
enum TensorPayload: Sendable {
    /// Nothing: a tensor without elements.
    case none
    /// Little-endian elements; types narrower than a byte packed, the first in the low bits.
    case raw(ModelSource, Range<Int>)
    /// A typed field of the TensorProto whose body lies in these bytes.
    case typed(ModelSource, body: Range<Int>, WireSchema.Payload)

    /// Reads the elements, straight into the memory of the tensor.
    /// - Throws: `tensor` for an element that the type cannot hold, `parse` when the source cannot be read,
    ///   `limit` when there is no memory.
    func tensor(_ dtype: DType, _ shape: Shape) throws(SardonyxError) -> Tensor {
        try Tensor(dtype: dtype, shape: shape) { (memory) throws(SardonyxError) in
            switch self {
            case .none: break
            case .raw(let source, let range):
                try RawElements(dtype: dtype, count: shape.elementCount).read(source, range, into: memory)
            case .typed(let source, let body, let field):
                try TypedElements(dtype: dtype, count: shape.elementCount, field: field).read(
                    source, body, into: memory)
            }
        }
    }

    /// The bytes that so many elements take in raw form; `nil` for strings.
    static func rawByteCount(_ dtype: DType, _ elements: Int) -> Int? {
        guard let bits = dtype.packedBitSize, let total = CheckedSize.product(elements, bits) else { return nil }
        return total / 8 + (total % 8 == 0 ? 0 : 1)
    }

    /// The typed field that holds elements of a type, and how many entries so many elements take there.
    static func typedField(_ dtype: DType, _ elements: Int) -> (field: WireSchema.Payload, entries: Int) {
        switch dtype {
        case .float32: (.floats, elements)
        case .complex64: (.floats, 2 * elements)
        case .float64: (.doubles, elements)
        case .complex128: (.doubles, 2 * elements)
        case .int64: (.int64s, elements)
        case .uint64, .uint32: (.uint64s, elements)
        case .string: (.strings, elements)
        case .uint4, .int4, .float4e2m1: (.int32s, elements / 2 + elements % 2)
        case .uint2, .int2: (.int32s, elements / 4 + (elements % 4 == 0 ? 0 : 1))
        case .int32, .int16, .int8, .uint16, .uint8, .bool, .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz,
            .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float6e2m3, .float6e3m2:
            (.int32s, elements)
        }
    }
}

/// Reading of raw data.
private struct RawElements {
    let dtype: DType
    let count: Int

    func read(_ source: ModelSource, _ range: Range<Int>, into memory: UnsafeMutableRawPointer) throws(SardonyxError) {
        guard let bits = dtype.packedBitSize, bits < 8 else {
            try source.read(range.count, at: range.lowerBound, into: memory)
            // Any other byte would be no valid Bool.
            if dtype == .bool { normalize(memory.assumingMemoryBound(to: UInt8.self)) }
            return
        }
        var reader = SourceReader(source, at: range.lowerBound)
        var unpacker = BitUnpacker(dtype: dtype, bits: bits, count: count, memory: memory)
        while reader.position < range.upperBound { unpacker.append(try reader.byte()) }
    }

    private func normalize(_ bytes: UnsafeMutablePointer<UInt8>) {
        for index in 0..<count where bytes[index] > 1 { bytes[index] = 1 }
    }
}

/// Spreads packed elements, first in the low bits, to one a byte.
struct BitUnpacker {
    private let bits: UInt32
    private let isSigned: Bool
    private let count: Int
    private let bytes: UnsafeMutablePointer<UInt8>
    private var pending: UInt32 = 0
    private var pendingBits: UInt32 = 0
    private var written = 0

    init(dtype: DType, bits: Int, count: Int, memory: UnsafeMutableRawPointer) {
        self.bits = UInt32(bits)
        self.isSigned = dtype == .int4 || dtype == .int2
        self.count = count
        self.bytes = memory.assumingMemoryBound(to: UInt8.self)
    }

    /// Takes the next packed byte; bits behind the last element are ignored.
    mutating func append(_ byte: UInt8) {
        pending |= UInt32(byte) << pendingBits
        pendingBits += 8
        while pendingBits >= bits, written < count {
            let code = UInt8(truncatingIfNeeded: pending & (1 << bits - 1))
            let isNegative = isSigned && code >> UInt8(bits - 1) == 1
            bytes[written] = isNegative ? code | (0xff << UInt8(bits)) : code
            written += 1
            pending >>= bits
            pendingBits -= bits
        }
        if written == count { pendingBits = 0 }
    }
}
