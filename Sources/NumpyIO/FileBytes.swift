import Glibc
import TensorCore

/// Whole files in and out of memory.
enum FileBytes {
    /// The bytes of a regular file.
    /// - Throws: `input` if it cannot be read or is not a regular file, `limit` when there is no memory.
    static func read(_ path: String) throws(SardonyxError) -> (buffer: Buffer, count: Int) {
        // A FIFO must not block.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SardonyxError(.input, path, "not a regular file")
        }
        let size = Int(status.st_size)
        let buffer = try Buffer(byteCount: size)
        var done = 0
        while done < size {
            let count = Glibc.read(descriptor, buffer.pointer + done, size - done)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, "cannot be read") }
            guard count > 0 else {
                throw SardonyxError(
                    .input, path, "the file shrank while it was read", got: "\(done) bytes", allowed: "\(size)")
            }
            done += count
        }
        return (buffer, size)
    }

    /// Makes or overwrites a file with the pieces in turn.
    /// - Throws: `input` if it cannot be written.
    static func write(_ pieces: [[UInt8]], to path: String) throws(SardonyxError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened for writing") }
        var failed: SardonyxError?
        for piece in pieces {
            var done = 0
            while done < piece.count, failed == nil {
                let count = piece.withUnsafeBytes { bytes in
                    bytes.baseAddress.map { Glibc.write(descriptor, $0 + done, piece.count - done) } ?? 0
                }
                if count < 0, errno == EINTR { continue }
                if count < 0 { failed = failure(path, "cannot be written") } else { done += count }
            }
        }
        // A full disk may show only now.
        if close(descriptor) != 0, failed == nil { failed = failure(path, "cannot be written") }
        if let failed { throw failed }
    }

    private static func failure(_ path: String, _ what: String) -> SardonyxError {
        SardonyxError(.input, path, what, got: String(cString: strerror(errno)))
    }
}

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
