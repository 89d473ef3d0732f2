import Glibc
import GraphIR
import TensorCore

/// Writes models as ONNX files.
package enum OnnxExporter {
    /// What was written.
    package struct Summary: Sendable {
        /// Of the model file.
        package var byteCount: Int
        /// Of the file beside it; `nil` when there is none.
        package var externalByteCount: Int?
        package var externalPath: String?
    }

    /// The most bytes that a protobuf message may have.
    package static let largestByteCount = 1 << 31 - 1

    /// The name of the file with the weights of a model that cannot hold them.
    package static func externalPath(for path: String) -> String { path + ".data" }

    /// Writes a model; the file appears whole or not at all.
    /// - Parameters:
    ///   - path: of the model. Weights that a protobuf message has no room for (2 GiB) go to `externalPath(for:)`.
    ///   - externalData: puts every initializer of 1 KiB and more there, whatever their size.
    /// - Throws: `input` when a file cannot be written, `limit` when the rest of the model is too large, and what reading
    ///   the weights throws.
    package static func write(
        _ model: ModelGraph, to path: String, externalData: Bool = false
    ) throws(SardonyxError) -> Summary {
        if !externalData {
            let message = try ModelWriter(model: model, tensors: TensorWriter(location: nil)).message()
            if message.byteCount <= largestByteCount {
                let file = try StagedFile(path, as: .input)
                try ElementWriter.write(message.pieces, to: file.write)
                try file.commit()
                return Summary(byteCount: message.byteCount)
            }
        }
        let externalPath = externalPath(for: path)
        let name = externalPath.split(separator: "/").last.map(String.init) ?? externalPath
        let tensors = TensorWriter(location: name)
        let message = try ModelWriter(model: model, tensors: tensors).message()
        guard message.byteCount <= largestByteCount else {
            throw SardonyxError(
                .limit, path, "model without its weights", got: "\(message.byteCount) bytes",
                allowed: "\(largestByteCount) (protobuf)")
        }
        let data = try StagedFile(externalPath, as: .input)
        for (padding, constant) in tensors.external {
            try ElementWriter.write([UInt8](repeating: 0, count: padding), to: data.write)
            try ElementWriter.write(constant, to: data.write)
        }
        let file = try StagedFile(path, as: .input)
        try ElementWriter.write(message.pieces, to: file.write)
        // Both are whole before either takes its name.
        try data.commit()
        try file.commit()
        return Summary(
            byteCount: message.byteCount, externalByteCount: tensors.externalByteCount, externalPath: externalPath)
    }

    /// A model as bytes.
    /// - Throws: `limit` above 2 GiB, and what reading the weights throws.
    package static func bytes(of model: ModelGraph) throws(SardonyxError) -> [UInt8] {
        let message = try ModelWriter(model: model, tensors: TensorWriter(location: nil)).message()
        guard message.byteCount <= largestByteCount else {
            throw SardonyxError(
                .limit, "model", "bytes", got: "\(message.byteCount)", allowed: "\(largestByteCount) (protobuf)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.byteCount)
        try ElementWriter.write(message.pieces) { bytes += $0 }
        return bytes
    }
}
