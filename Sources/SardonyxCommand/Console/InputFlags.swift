import ArgumentParser
import Foundation
import NumpyIO
import OnnxImport
import Sardonyx

/// Options that say where a model's inputs come from.
struct InputFlags: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "An input from a .npy or ONNX .pb file (name=FILE), or all from a .npz file.", valueName: "name=file"))
    var input: [String] = []
    @Option(help: "Seed of the random inputs.") var seed: UInt64 = 0
    @Option(
        help: ArgumentHelp("Shape of a random input, as in image=1x3x550x550; may be repeated.", valueName: "name=dims")
    )
    var shape: [ShapeFlag] = []

    /// Every input of the model: from its file, else random numbers.
    func tensors(for session: Session) throws(SardonyxError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for entry in input {
            do {
                tensors.merge(try Self.feeds(entry)) { $1 }
            } catch  where [.parse, .tensor, .external, .unsupported].contains(error.code) {
                throw SardonyxError(.input, error.place, error.message)
            }
        }
        let shapes = Dictionary(shape.map { ($0.name, $0.dims) }) { $1 }
        // Beside given tensors, an input of open shape stays out: the session then names all faults of the inputs.
        let missing = session.model.inputs.filter {
            tensors[$0.name] == nil && (tensors.isEmpty || shapes[$0.name] != nil || $0.isFixed)
        }
        let random = try RandomInputs(seed: seed, byteLimit: session.options.memoryLimit).tensors(
            for: missing, shapes: shapes)
        return tensors.merging(random) { given, _ in given }
    }

    /// What one `--input` says.
    private static func feeds(_ entry: String) throws(SardonyxError) -> [String: Tensor] {
        guard let separator = entry.firstIndex(of: "=") else {
            return try Npz.read(entry)
        }
        let path = String(entry[entry.index(after: separator)...])
        let name = String(entry[..<separator])
        switch (path as NSString).pathExtension {
        case "npy": return [name: try Npy.read(path)]
        case "pb": return [name: try OnnxImporter.tensor(path: path)]
        default:
            throw SardonyxError(
                .usage, "--input", "file type", got: "'\(path)'", allowed: ".npy, .pb, or a whole .npz")
        }
    }
}
