import GraphIR
import TensorCore

/// Recognition of files that are certainly not ONNX models, from their first bytes.
enum FileSignature {
    private static let binary: [(bytes: [UInt8], offset: Int, name: String, hint: String)] = [
        (
            Array("PK\u{3}\u{4}".utf8), 0, "a zip archive (a PyTorch checkpoint is one too)",
            "Export the model to ONNX, or unpack the archive."
        ),
        ([0x1f, 0x8b], 0, "gzip data", "Unpack it first: gunzip."),
        ([0x28, 0xb5, 0x2f, 0xfd], 0, "zstd data", "Unpack it first: unzstd."),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a], 0, "xz data", "Unpack it first: unxz."),
        (Array("BZh".utf8), 0, "bzip2 data", "Unpack it first: bunzip2."),
        ([0x89, 0x48, 0x44, 0x46], 0, "HDF5 data (Keras)", "Export the model to ONNX."),
        ([0x89, 0x50, 0x4e, 0x47], 0, "a PNG picture", "Give the model first, then the picture."),
        ([0xff, 0xd8, 0xff], 0, "a JPEG picture", "Give the model first, then the picture."),
        ([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], 0, "a NumPy array", "Give a model file."),
        (Array("TFL3".utf8), 4, "a TensorFlow Lite model", "Export the model to ONNX."),
        (Array("ORTM".utf8), 4, "an ORT-format model", "Give the ONNX file that it was made from."),
        (Array("{\"".utf8), 8, "a safetensors file", "Export the model to ONNX."),
        ([0x80, 0x02], 0, "a Python pickle (a PyTorch checkpoint)", "Export the model to ONNX."),
        ([0x80, 0x03], 0, "a Python pickle (a PyTorch checkpoint)", "Export the model to ONNX."),
        ([0x80, 0x04], 0, "a Python pickle (a PyTorch checkpoint)", "Export the model to ONNX."),
        ([0x80, 0x05], 0, "a Python pickle (a PyTorch checkpoint)", "Export the model to ONNX."),
    ]

    private static let text: [(prefix: String, name: String, hint: String)] = [
        ("<!doctype", "an HTML page", "The download probably failed."),
        ("<html", "an HTML page", "The download probably failed."),
        ("<?xml", "an XML file", "Give the ONNX file."),
        ("{", "JSON text", "Give the binary ONNX file."),
        ("ir_version", "the text form of a model", "Give the binary ONNX file."),
    ]

    /// - Throws: `parse` naming what the file is, if it is empty or something else than a model.
    static func check(_ source: ModelSource) throws(SardonyxError) {
        guard source.byteCount > 0 else { throw SardonyxError(.parse, source.label, "the file is empty") }
        var reader = SourceReader(source)
        var head: [UInt8] = []
        try reader.copy(min(source.byteCount, 512), to: &head)
        let start = String(decoding: head.drop { $0 == 0x20 || (0x09...0x0d).contains($0) }, as: UTF8.self)
        if start.hasPrefix("version https://git-lfs") {
            throw SardonyxError(
                .parse, source.label, "a Git LFS pointer, not the model itself", got: "oid \(lfsObject(start))",
                hint: "Run `git lfs pull`.")
        }
        for signature in binary where head.dropFirst(signature.offset).starts(with: signature.bytes) {
            throw SardonyxError(.parse, source.label, "\(signature.name), not an ONNX model", hint: signature.hint)
        }
        let lowered = start.prefix(16).lowercased()
        for signature in text where lowered.hasPrefix(signature.prefix) {
            throw SardonyxError(.parse, source.label, "\(signature.name), not an ONNX model", hint: signature.hint)
        }
        if isText(head, isWhole: head.count == source.byteCount) {
            throw SardonyxError(.parse, source.label, "text, not an ONNX model", hint: "Give the binary ONNX file.")
        }
    }

    /// Whether the bytes are UTF-8 without control characters; every model begins with one that is no white space.
    private static func isText(_ head: [UInt8], isWhole: Bool) -> Bool {
        guard head.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) }) else { return false }
        // The last character may be cut.
        return (0...(isWhole ? 0 : 3)).contains { String(validating: head.dropLast($0), as: UTF8.self) != nil }
    }

    private static func lfsObject(_ pointer: String) -> String {
        let line = pointer.split(whereSeparator: \.isNewline).first { $0.hasPrefix("oid ") }
        return line.map { Name(String($0.dropFirst(4))).description } ?? "missing"
    }
}
