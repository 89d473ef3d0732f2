import TensorCore

/// Where a TensorProto lies in its source, and what its payload fields hold.
struct TensorExtent: Sendable {
    /// The bytes of the message, without its tag and length.
    var body: Range<Int>
    /// The bytes of `raw_data`.
    var raw: Range<Int>?
    /// Entries of each payload field, by `WireSchema.Payload`; bytes for `raw`.
    var counts: InlineArray<7, Int> = .init(repeating: 0)

    init(start: Int) { self.body = start..<start }

    subscript(payload: WireSchema.Payload) -> Int {
        get { counts[payload.rawValue] }
        set { counts[payload.rawValue] = newValue }
    }

    /// The payload fields that are not empty.
    var payloads: [WireSchema.Payload] { WireSchema.Payload.allCases.filter { self[$0] > 0 } }
}

/// The outcome of reading a model once from end to end without unpacking it.
struct WireScan: Sendable {
    /// The model without unknown fields and without the elements of its tensors: in place of its payload fields,
    /// each TensorProto has a `raw_data` of four bytes, its index in `tensors` (little-endian).
    let skeleton: [UInt8]
    let tensors: [TensorExtent]

    /// The deepest that messages may nest.
    static let maximumDepth = 100
    static let maximumByteCount = Int(Int32.max)

    /// What unpacking a model of so many bytes may take.
    static func unpackingBudget(_ byteCount: Int) -> Int { 2 * byteCount + (256 << 20) }

    /// Reads a source through a fixed window, in time proportional to the bytes that are not raw tensor data.
    /// - Throws: `parse` with the field and byte offset, `limit` for depth or size, `graph` for a node without
    ///   operator or a name that is not UTF-8.
    init(_ source: ModelSource) throws(SardonyxError) {
        guard source.byteCount <= WireScan.maximumByteCount else {
            throw SardonyxError(
                .limit, source.label, "model file size", got: "\(source.byteCount) bytes",
                allowed: "\(WireScan.maximumByteCount)",
                hint: "Store the tensors as external data.")
        }
        var scanner = WireScanner(source)
        try scanner.scan()
        (self.skeleton, self.tensors) = scanner.result()
    }
}
