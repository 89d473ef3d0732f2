import TensorCore

/// Reading of the typed fields of a TensorProto (`float_data` and its like), packed or not, in any number of pieces.
///
/// The scan has checked the wire format and counted the entries.
struct TypedElements {
    let dtype: DType
    let count: Int
    let field: WireSchema.Payload

    func read(_ source: ModelSource, _ body: Range<Int>, into memory: UnsafeMutableRawPointer) throws(SardonyxError) {
        var sink = ElementSink(dtype: dtype, count: count, memory: memory)
        var reader = SourceReader(source, at: body.lowerBound)
        let tensor = WireSchema.shared.messages.first { $0.kind == .tensor }
        while reader.position < body.upperBound {
            let tag = try number(.varint, &reader, body)
            guard let wireType = WireSchema.WireType(rawValue: UInt8(tag & 7)) else { throw changed(source) }
            let isWanted: Bool
            if case .payload(field, _)? = tensor?.field(tag >> 3)?.role { isWanted = true } else { isWanted = false }
            let isPacked = wireType == .lengthDelimited
            let length = isPacked ? try number(.varint, &reader, body) : 0
            guard length <= UInt64(max(body.upperBound - reader.position, 0)) else { throw changed(source) }
            let end = reader.position + Int(length)
            if !isWanted {
                if isPacked { reader.skip(to: end) } else { _ = try number(wireType, &reader, body) }
            } else if dtype == .string {
                var bytes: [UInt8] = []
                try reader.copy(Int(length), to: &bytes)
                try sink.append(bytes)
            } else if isPacked {
                while reader.position < end { try sink.append(try number(entryType, &reader, body)) }
            } else {
                try sink.append(try number(wireType, &reader, body))
            }
        }
        guard sink.isFull else { throw changed(source) }
    }

    /// How one entry of the field is written.
    private var entryType: WireSchema.WireType {
        switch field {
        case .floats: .fixed32
        case .doubles: .fixed64
        default: .varint
        }
    }

    private func number(
        _ type: WireSchema.WireType, _ reader: inout SourceReader, _ body: Range<Int>
    ) throws(SardonyxError) -> UInt64 {
        if type == .varint {
            guard let value = try reader.varint(before: body.upperBound) else { throw changed(reader.source) }
            return value
        }
        return try reader.fixed(byteCount: type == .fixed64 ? 8 : 4)
    }

    private func changed(_ source: ModelSource) -> SardonyxError {
        SardonyxError(.parse, source.label, "the file changed after it was loaded")
    }
}

/// Takes entries of typed fields and writes elements.
private struct ElementSink {
    private let dtype: DType
    /// Entries to come: two for a complex element, one for several elements narrower than a byte.
    private let entries: Int
    private let memory: UnsafeMutableRawPointer
    private var unpacker: BitUnpacker?
    private var written = 0

    init(dtype: DType, count: Int, memory: UnsafeMutableRawPointer) {
        self.dtype = dtype
        self.entries = TensorPayload.typedField(dtype, count).entries
        self.memory = memory
        if let bits = dtype.packedBitSize, bits == 4 || bits == 2 {
            self.unpacker = BitUnpacker(dtype: dtype, bits: bits, count: count, memory: memory)
        }
    }

    var isFull: Bool { written == entries }

    /// - Throws: `tensor` if the entry has bits that the element type has no room for.
    mutating func append(_ entry: UInt64) throws(SardonyxError) {
        guard written < entries else { return }
        defer { written += 1 }
        switch dtype {
        case .int64, .uint64, .float64, .complex128: store(entry)
        case .float32, .complex64: store(UInt32(truncatingIfNeeded: entry))
        case .uint32: store(UInt32(try narrowed(entry, bits: 32)))
        case .int32: store(UInt32(truncatingIfNeeded: try narrowed(entry, bits: 32)))
        case .uint16, .int16, .float16, .bfloat16: store(UInt16(truncatingIfNeeded: try narrowed(entry, bits: 16)))
        case .bool: store(UInt8(entry == 0 ? 0 : 1))
        case .float6e2m3, .float6e3m2: store(UInt8(truncatingIfNeeded: try narrowed(entry, bits: 6)))
        case .uint4, .int4, .float4e2m1, .uint2, .int2:
            let packed = UInt8(truncatingIfNeeded: try narrowed(entry, bits: 8))
            unpacker?.append(packed)
        case .uint8, .int8, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0:
            store(UInt8(truncatingIfNeeded: try narrowed(entry, bits: 8)))
        case .string: break
        }
    }

    /// - Throws: `tensor` if the bytes are not UTF-8.
    mutating func append(_ bytes: [UInt8]) throws(SardonyxError) {
        guard written < entries else { return }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SardonyxError(.tensor, "", "string element \(written) is not UTF-8")
        }
        memory.assumingMemoryBound(to: String.self)[written] = text
        written += 1
    }

    private func store<Bits: FixedWidthInteger>(_ bits: Bits) {
        memory.storeBytes(of: bits.littleEndian, toByteOffset: written * MemoryLayout<Bits>.stride, as: Bits.self)
    }

    /// The low bits of an entry that holds them as a signed or as an unsigned number.
    private func narrowed(_ entry: UInt64, bits: Int) throws(SardonyxError) -> UInt64 {
        let signed = Int64(bitPattern: entry)
        guard signed >= -(1 << (bits - 1)), signed < 1 << bits else {
            throw SardonyxError(
                .tensor, "", "element \(written) does not fit in \(dtype)", got: "\(signed)", allowed: "\(bits) bits")
        }
        return entry & (1 << UInt64(bits) - 1)
    }
}
