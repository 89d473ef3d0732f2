import Glibc

/// Whole files in and out of memory.
package enum WholeFile {
    /// The bytes of a regular file.
    /// - Parameter code: the class of the errors, but for memory that the system does not have (`limit`).
    /// - Throws: for a missing, unreadable or special file, and for one of more than `limit` bytes.
    package static func read(
        _ path: String, limit: Int = .max, as code: SardonyxError.Code
    ) throws(SardonyxError) -> (buffer: Buffer, count: Int) {
        // Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, "cannot open", code) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "cannot read", code) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SardonyxError(code, path, "not a regular file") }
        let size = Int(status.st_size)
        guard size <= limit else {
            throw SardonyxError(code, path, "file size", got: "\(size) bytes", allowed: "\(limit) bytes")
        }
        let buffer = try Buffer(byteCount: size)
        var done = 0
        while done < size {
            let count = Glibc.read(descriptor, buffer.pointer + done, size - done)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, "cannot read", code) }
            guard count > 0 else {
                throw SardonyxError(
                    code, path, "the file shrank while it was read", got: "\(done) of \(size) bytes")
            }
            done += count
        }
        return (buffer, size)
    }

    /// The bytes of a regular file as an array.
    /// - Throws: as `read(_:limit:as:)`.
    package static func bytes(
        of path: String, limit: Int = .max, as code: SardonyxError.Code
    ) throws(SardonyxError) -> [UInt8] {
        let (buffer, count) = try read(path, limit: limit, as: code)
        return withExtendedLifetime(buffer) { Array(UnsafeRawBufferPointer(start: buffer.pointer, count: count)) }
    }

    /// Writes a file whole or not at all: into a temporary neighbour that then takes the name.
    /// A path that is a device or pipe is written to directly; a symbolic link keeps pointing where it does.
    /// - Parameter pieces: the contents in turn.
    /// - Throws: when the directory or file cannot be written.
    package static func write(
        _ pieces: [[UInt8]], to path: String, as code: SardonyxError.Code
    ) throws(SardonyxError) {
        let file = try StagedFile(path, as: code)
        for piece in pieces {
            var fault: SardonyxError?
            piece.withUnsafeBytes { bytes in
                do throws(SardonyxError) { try file.write(bytes) } catch { fault = error }
            }
            if let fault { throw fault }
        }
        try file.commit()
    }

    private static func failure(_ path: String, _ what: String, _ code: SardonyxError.Code) -> SardonyxError {
        SardonyxError(code, path, what, got: String(cString: strerror(errno)))
    }
}
