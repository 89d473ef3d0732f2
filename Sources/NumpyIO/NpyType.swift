import TensorCore

/// NumPy's code of an element type, for example `<f4`.
struct NpyType: Sendable {
    /// How the bytes of text are to be read.
    enum Text: Sendable {
        /// `U`: UTF-32.
        case utf32
        /// `S`: bytes, which we take for UTF-8.
        case utf8
    }

    let dtype: DType
    let isBigEndian: Bool
    /// Bytes of an element in the file.
    let elementSize: Int
    /// `nil` for numbers.
    let text: Text?

    /// NumPy's kind and size by element type.
    private static let codes: [(code: String, dtype: DType)] = [
        ("b1", .bool), ("i1", .int8), ("i2", .int16), ("i4", .int32), ("i8", .int64), ("u1", .uint8), ("u2", .uint16),
        ("u4", .uint32), ("u8", .uint64), ("f2", .float16), ("f4", .float32), ("f8", .float64), ("c8", .complex64),
        ("c16", .complex128),
    ]

    /// - Throws: `unsupported` for a type that tensors do not have.
    init(descriptor: String) throws(SardonyxError) {
        let order = descriptor.first
        let code = order.map { "<>|=".contains($0) } == true ? String(descriptor.dropFirst()) : descriptor
        isBigEndian = order == ">"
        if let row = Self.codes.first(where: { $0.code == code }) {
            dtype = row.dtype
            elementSize = row.dtype.byteSize
            text = nil
        } else if let kind = code.first, kind == "U" || kind == "S", let width = Int(code.dropFirst()), width > 0,
            let size = CheckedSize.product(width, kind == "U" ? 4 : 1)
        {
            dtype = .string
            elementSize = size
            text = kind == "U" ? .utf32 : .utf8
        } else {
            throw SardonyxError(
                .unsupported, "", "element type", got: "'\(descriptor)'",
                allowed: Self.codes.map(\.code).joined(separator: ", ") + ", U1 and wider, S1 and wider")
        }
    }

    /// The descriptor of a type in memory.
    /// - Parameter width: of text, in characters.
    /// - Throws: `unsupported` for a type that NumPy does not have.
    static func descriptor(of dtype: DType, width: Int = 1) throws(SardonyxError) -> String {
        if dtype == .string { return "<U\(width)" }
        guard let row = codes.first(where: { $0.dtype == dtype }) else {
            throw SardonyxError(
                .unsupported, "", "NumPy has no such element type", got: "\(dtype)",
                allowed: codes.map(\.dtype.description).joined(separator: ", ") + ", string")
        }
        return (dtype.byteSize == 1 ? "|" : "<") + row.code
    }

    /// Bytes that change order together: a component of a complex number, else the element.
    var swapSize: Int {
        dtype == .complex64 || dtype == .complex128 ? dtype.byteSize / 2 : dtype.byteSize
    }
}
