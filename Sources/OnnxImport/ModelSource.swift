import Glibc
import GraphIR
import TensorCore

/// Where bytes of a model come from: a file that is read by `pread` and never mapped, or memory.
///
/// Safe to read from several threads at once; a file stays open as long as something refers to it.
package final class ModelSource: Sendable {
    /// For messages.
    package let label: String
    package let byteCount: Int

    private enum Storage: Sendable {
        case file(descriptor: Int32)
        case bytes([UInt8])
    }
    private let storage: Storage

    package init(bytes: [UInt8], label: String = "model") {
        self.label = label
        self.byteCount = bytes.count
        self.storage = .bytes(bytes)
    }

    /// Opens a regular file.
    /// - Throws: `parse` if it cannot be opened or is not a regular file.
    package static func file(_ path: String) throws(SardonyxError) -> ModelSource {
        guard !path.utf8.contains(0) else {
            throw SardonyxError(.parse, Name(path).description, "path with a NUL byte")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw SardonyxError(.parse, path, "cannot be opened", got: systemMessage(errno)) }
        guard let source = ModelSource(adopting: descriptor, label: path) else {
            throw SardonyxError(.parse, path, "not a regular file")
        }
        return source
    }

    /// Takes over an open descriptor, and closes it in the end; `nil` if it is not of a regular file.
    package init?(adopting descriptor: Int32, label: String) {
        self.label = label
        self.storage = .file(descriptor: descriptor)
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        self.byteCount = isRegular ? Int(status.st_size) : 0
        // From here on deinit closes the descriptor.
        if !isRegular { return nil }
    }

    deinit {
        if case .file(let descriptor) = storage { close(descriptor) }
    }

    /// Reads `count` bytes from `offset` into `memory`.
    /// - Throws: `parse` if the source has no such bytes (any more) or reading fails.
    package func read(_ count: Int, at offset: Int, into memory: UnsafeMutableRawPointer) throws(SardonyxError) {
        guard count > 0 else { return }
        guard offset >= 0, let end = CheckedSize.sum(offset, count), end <= byteCount else {
            throw SardonyxError(
                .parse, label, "ends too early at byte \(offset)",
                got: "\(count) bytes needed, \(max(byteCount - offset, 0)) left")
        }
        switch storage {
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                if let start = $0.baseAddress { memory.copyMemory(from: start + offset, byteCount: count) }
            }
        case .file(let descriptor):
            var done = 0
            while done < count {
                let got = pread(descriptor, memory + done, count - done, off_t(offset + done))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    throw SardonyxError(
                        .parse, label, got == 0 ? "was cut while it was read" : "cannot be read",
                        got: got == 0 ? "end of file at byte \(offset + done)" : systemMessage(errno))
                }
                done += got
            }
        }
    }
}

/// What the system says about an `errno`.
func systemMessage(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    guard strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
    return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
}
