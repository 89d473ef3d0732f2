import TensorCore

/// Little-endian numbers at checked offsets of a file.
struct ByteView {
    let bytes: UnsafeRawBufferPointer

    /// - Throws: `input` if the range does not lie inside.
    func slice(_ offset: Int, _ count: Int) throws(SardonyxError) -> UnsafeRawBufferPointer {
        guard offset >= 0, count >= 0, let end = CheckedSize.sum(offset, count), end <= bytes.count else {
            throw SardonyxError(
                .input, "", "the file is cut short", got: "\(bytes.count) bytes",
                allowed: "\(count) more at byte \(offset)")
        }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
    }

    func integer<Value: FixedWidthInteger>(_ offset: Int, _ type: Value.Type) throws(SardonyxError) -> Value {
        Value(littleEndian: try slice(offset, MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }
}
