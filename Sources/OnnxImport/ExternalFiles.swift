import COnnx
import Glibc
import GraphIR
import TensorCore

/// The files beside a model that may hold its tensors: regular files below one directory, nothing else.
///
/// Paths are walked by the kernel under `RESOLVE_BENEATH`, so neither `..` nor links nor a race leave the directory.
final class ExternalFiles {
    /// The directory, or why there is none.
    private enum Root {
        case directory(descriptor: Int32, path: String, prefix: String)
        case none
    }
    private let root: Root
    private var opened: [[UInt8]: ModelSource] = [:]

    /// The option of the command that allows another directory.
    static let option = "--external-root"

    /// - Parameters:
    ///   - modelPath: the model file; `nil` for a model in memory, which has no files beside it.
    ///   - allowedRoot: a directory that links may lead to instead of the model's own. If the model lies below it,
    ///     locations are still relative to the model's directory, otherwise to this one.
    /// - Throws: `external` if `allowedRoot` cannot be opened.
    init(modelPath: String?, allowedRoot: String?) throws(SardonyxError) {
        let own = modelPath.map(ExternalFiles.directory)
        guard let path = allowedRoot ?? own else {
            self.root = .none
            return
        }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0, allowedRoot != nil {
            throw SardonyxError(
                .external, path, "directory of external data cannot be opened", got: systemMessage(errno))
        }
        var prefix = ""
        if allowedRoot != nil, let own, let inner = ExternalFiles.resolved(own),
            let outer = ExternalFiles.resolved(path),
            inner.hasPrefix(outer == "/" ? outer : outer + "/")
        {
            prefix = inner.dropFirst(outer.count).drop { $0 == "/" } + "/"
        }
        self.root = descriptor < 0 ? .none : .directory(descriptor: descriptor, path: path, prefix: prefix)
    }

    deinit {
        if case .directory(let descriptor, _, _) = root { close(descriptor) }
    }

    /// The file at a location that the model gives; opened once.
    /// - Throws: `external` if it is outside, missing or not a regular file.
    func file(_ location: String) throws(SardonyxError) -> ModelSource {
        let key = Array(location.utf8)
        if let source = opened[key] { return source }
        let shown = "'\(Name(bytes: key))'"
        guard case .directory(let directory, let path, let prefix) = root else {
            throw SardonyxError(
                .external, "", "a model in memory has no directory", got: "location \(shown)",
                hint: "Name one with \(ExternalFiles.option).")
        }
        guard !key.isEmpty else { throw SardonyxError(.external, "", "location is empty") }
        let descriptor = location.hasPrefix("/") ? -EXDEV : onnx_open_beneath(directory, prefix + location)
        guard descriptor >= 0 else { throw refusal(-descriptor, shown, path) }
        guard let source = ModelSource(adopting: descriptor, label: location) else {
            throw SardonyxError(.external, "", "not a regular file", got: "location \(shown) in '\(Name(path))'")
        }
        opened[key] = source
        return source
    }

    private func refusal(_ code: Int32, _ location: String, _ directory: String) -> SardonyxError {
        switch code {
        case EXDEV, ELOOP:
            SardonyxError(
                .external, "", "location leads out of the model's directory", got: "location \(location)",
                allowed: "files below '\(Name(directory))'",
                hint: "Allow another directory with \(ExternalFiles.option).")
        case ENOSYS:
            SardonyxError(
                .external, "", "this kernel cannot confine external data to a directory (openat2, Linux 5.6)",
                got: "location \(location)")
        default:
            SardonyxError(
                .external, "", "file cannot be opened",
                got: "location \(location) in '\(Name(directory))': \(systemMessage(code))")
        }
    }

    /// Everything before the last slash.
    private static func directory(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}

/// The `external_data` entries of a tensor.
struct ExternalReference {
    var location: String?
    var offset = 0
    var length: Int?

    /// - Throws: `external` for an unknown or repeated key, and for numbers that are not plain decimal ones.
    init(_ entries: [(key: String, value: String)]) throws(SardonyxError) {
        var seen: Set<String> = []
        for (key, value) in entries {
            guard seen.insert(key).inserted else {
                throw SardonyxError(.external, "", "key given twice", got: "'\(Name(key))'")
            }
            switch key {
            case "location": location = value
            case "offset": offset = try ExternalReference.number(value, key)
            case "length": length = try ExternalReference.number(value, key)
            // A digest of the whole file; the standard leaves checking it to tools.
            case "checksum": break
            default:
                throw SardonyxError(
                    .external, "", "unknown key", got: "'\(Name(key))'", allowed: "location, offset, length, checksum")
            }
        }
    }

    private static func number(_ text: String, _ key: String) throws(SardonyxError) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text) else {
            throw SardonyxError(
                .external, "", "\(key) is not a decimal number", got: "'\(Name(text))'", allowed: "0 … \(Int.max)")
        }
        return value
    }

    /// The bytes of a tensor in its file.
    /// - Throws: `external` if they do not lie within the file or are too many or few.
    func range(_ needed: Int, of type: String, in source: ModelSource) throws(SardonyxError) -> Range<Int> {
        let facts = "offset \(offset), length \(length.map(String.init) ?? "not given"), file size \(source.byteCount)"
        if let length, length != needed {
            throw SardonyxError(.external, "", "length does not fit \(type)", got: facts, allowed: "length \(needed)")
        }
        guard let end = CheckedSize.sum(offset, needed), end <= source.byteCount else {
            throw SardonyxError(
                .external, "", "bytes of \(type) lie beyond the end of the file", got: facts, allowed: "\(needed) bytes"
            )
        }
        return offset..<end
    }
}
