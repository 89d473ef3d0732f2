import TensorCore

/// Numbers in the bytes of a file, read with bounds checks.
struct ByteReader {
    let bytes: [UInt8]
    let format: String

    /// An unsigned number of up to four bytes, least significant first.
    /// - Throws: `image` when the file ends before.
    func number(at offset: Int, _ count: Int) throws(SardonyxError) -> Int {
        guard offset >= 0, offset <= bytes.count - count else { throw endsEarly }
        return (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    /// A number of four bytes with sign.
    func signedNumber(at offset: Int) throws(SardonyxError) -> Int {
        Int(Int32(truncatingIfNeeded: try number(at: offset, 4)))
    }

    var endsEarly: SardonyxError { fault("the data ends early") }

    func fault(_ reason: String) -> SardonyxError {
        SardonyxError(.image, "", "\(format) data is damaged or cut short (\(reason))", allowed: "complete files only")
    }
}
