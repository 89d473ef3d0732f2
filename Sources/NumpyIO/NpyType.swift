import TensorCore

/// NumPy's code of an element type, for example `<f4`.
struct NpyType: Sendable {
    let dtype: DType
    let isBigEndian: Bool

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
        guard let row = Self.codes.first(where: { $0.code == code }) else {
            throw SardonyxError(
                .unsupported, "", "element type", got: "'\(descriptor)'",
                allowed: Self.codes.map(\.code).joined(separator: ", "))
        }
        dtype = row.dtype
        isBigEndian = order == ">"
    }

    /// The descriptor of a type in memory.
    /// - Throws: `unsupported` for a type that NumPy does not have.
    static func descriptor(of dtype: DType) throws(SardonyxError) -> String {
        guard let row = codes.first(where: { $0.dtype == dtype }) else {
            throw SardonyxError(
                .unsupported, "", "NumPy has no such element type", got: "\(dtype)",
                allowed: codes.map(\.dtype.description).joined(separator: ", "))
        }
        return (dtype.byteSize == 1 ? "|" : "<") + row.code
    }

    /// Bytes that change order together: a component of a complex number, else the element.
    var swapSize: Int {
        dtype == .complex64 || dtype == .complex128 ? dtype.byteSize / 2 : dtype.byteSize
    }
}
