import Glibc
import TensorCore

/// Whole files in and out.
enum FileBytes {
    /// A picture file may not be larger than this, in bytes.
    static let maximumCount = 1 << 29

    /// The bytes of a regular file.
    ///
    /// - Throws: `image` for a missing, unreadable, special or too large file.
    static func read(_ path: String) throws(SardonyxError) -> [UInt8] {
        // Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, "cannot open") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "cannot read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SardonyxError(.image, path, "not a regular file") }
        guard status.st_size <= maximumCount else {
            throw SardonyxError(
                .image, path, "file size", got: "\(status.st_size) bytes", allowed: "\(maximumCount) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, "cannot read") }
            guard count > 0 else {
                throw SardonyxError(
                    .image, path, "the file shrank while it was read", got: "\(filled) of \(bytes.count) bytes")
            }
            filled += count
        }
        return bytes
    }

    /// Writes a file whole or not at all: into a temporary neighbour that then takes the name.
    /// A path that is a device or pipe is written to directly; a symbolic link keeps pointing where it does.
    ///
    /// - Throws: `image` when the directory or file cannot be written.
    static func write(_ bytes: [UInt8], to path: String) throws(SardonyxError) {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT != S_IFREG {
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw failure(path, "cannot write") }
            defer { close(descriptor) }
            return try fill(descriptor, bytes, path)
        }
        var target = path
        if exists, let resolved = realpath(path, nil) {
            target = String(cString: resolved)
            free(resolved)
        }
        let temporary = "\(target).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(path, "cannot write") }
        do throws(SardonyxError) {
            try fill(descriptor, bytes, path)
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        guard close(descriptor) == 0, rename(temporary, target) == 0 else {
            let error = failure(path, "cannot write")
            unlink(temporary)
            throw error
        }
    }

    private static func fill(_ descriptor: Int32, _ bytes: [UInt8], _ path: String) throws(SardonyxError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path, "cannot write") }
            written += count
        }
    }

    private static func failure(_ path: String, _ what: String) -> SardonyxError {
        SardonyxError(.image, path, what, got: String(cString: strerror(errno)))
    }
}
