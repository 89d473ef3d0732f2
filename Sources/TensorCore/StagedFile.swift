import Glibc

/// A file that is written piece by piece and takes its name only when it is whole.
///
/// The bytes go into a temporary neighbour, which is removed unless `commit` gives it the name. A path that is a device
/// or pipe is written to directly; a symbolic link keeps pointing where it does.
package final class StagedFile {
    private let path: String
    private let code: SardonyxError.Code
    /// What the temporary file will be called; `nil` for a device or pipe.
    private let target: String?
    private let temporary: String
    private var descriptor: Int32

    /// - Parameter code: the class of the errors.
    /// - Throws: when the directory or file cannot be written.
    package init(_ path: String, as code: SardonyxError.Code) throws(SardonyxError) {
        self.path = path
        self.code = code
        var status = stat()
        let exists = stat(path, &status) == 0
        var target: String?
        if !exists {
            target = path
        } else if status.st_mode & S_IFMT == S_IFREG {
            target = path
            if let resolved = realpath(path, nil) {
                target = String(cString: resolved)
                free(resolved)
            }
        }
        self.target = target
        self.temporary = "\(target ?? path).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).part"
        self.descriptor =
            target == nil
            ? open(path, O_WRONLY | O_CLOEXEC)
            : open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure() }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if target != nil { unlink(temporary) }
    }

    /// Appends bytes.
    /// - Throws: when they cannot be written.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SardonyxError) {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            written += count
        }
    }

    /// Gives the file its name. Nothing is written after that.
    /// - Throws: when the bytes cannot be written or the name cannot be taken.
    package func commit() throws(SardonyxError) {
        let open = descriptor
        descriptor = -1
        // A full disk may show only now.
        guard close(open) == 0, target.map({ rename(temporary, $0) == 0 }) ?? true else {
            let error = failure()
            if target != nil { unlink(temporary) }
            throw error
        }
    }

    private func failure() -> SardonyxError {
        SardonyxError(code, path, "cannot write", got: String(cString: strerror(errno)))
    }
}
