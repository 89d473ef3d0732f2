import ArgumentParser
import Foundation
import GraphIR
import NumpyIO
import OnnxImport
import Sardonyx

/// Options that say where a model's inputs come from.
struct InputFlags: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            An input from a .npy or ONNX .pb file (name=FILE), or all from a .npz file; bfloat16 may be uint16, narrower \
            floats uint8.
            """, valueName: "name=file"))
    var input: [String] = []
    @Option(parsing: .unconditional, help: "Seed of the random inputs.") var seed: UInt64 = 0
    @Option(
        help: ArgumentHelp("Shape of a random input, as in image=1x3x550x550; may be repeated.", valueName: "name=dims")
    )
    var shape: [ShapeFlag] = []

    /// Every input of the model, by its name as text.
    func tensors(for session: Session) throws(SardonyxError) -> [String: Tensor] {
        Dictionary(try named(for: session).map { ($0.key.string, $0.value) }) { first, _ in first }
    }

    /// Every input of the model: from its file, else random numbers. Names are bytes.
    /// - Throws: `usage` for an input that is given twice, `input` for a file that is not there or not right.
    func named(for session: Session) throws(SardonyxError) -> [Name: Tensor] {
        try named(for: session.model, memoryLimit: session.options.memoryLimit)
    }

    /// As above.
    /// - Parameter memoryLimit: the most bytes that the random inputs may take.
    func named(for model: Model, memoryLimit: Int) throws(SardonyxError) -> [Name: Tensor] {
        let tensors = try given(for: model)
        var shapes: [Name: [Int]] = [:]
        for flag in shape {
            let name = Name(flag.name)
            guard shapes.updateValue(flag.dims, forKey: name) == nil else { throw Self.twice("--shape", name) }
        }
        // Beside given tensors, an input of open shape stays out: the session then names all faults of the inputs.
        let missing = model.inputs.filter {
            let name = Name($0.name)
            return tensors[name] == nil && (tensors.isEmpty || shapes[name] != nil || $0.isFixed)
        }
        let random = try RandomInputs(seed: seed, byteLimit: memoryLimit).tensors(for: missing, shapes: shapes)
        return tensors.merging(random) { given, _ in given }
    }

    /// The inputs that come from files.
    /// - Throws: as `named`.
    func given(for model: Model) throws(SardonyxError) -> [Name: Tensor] {
        let types = Dictionary(model.inputs.map { (Name($0.name), $0.dtype) }) { first, _ in first }
        var tensors: [Name: Tensor] = [:]
        for entry in input {
            for (text, tensor) in try Self.feeds(entry) {
                let name = Name(text)
                let isRaw = types[name]??.stored == tensor.dtype
                let typed = isRaw ? tensor.bits(as: (types[name] ?? nil) ?? tensor.dtype) : tensor
                guard tensors.updateValue(typed, forKey: name) == nil else { throw Self.twice("--input", name) }
            }
        }
        return tensors
    }

    private static func twice(_ option: String, _ name: Name) -> SardonyxError {
        SardonyxError(.usage, option, "an input is given twice", got: "'\(name)'")
    }

    /// What one `--input` says.
    private static func feeds(_ entry: String) throws(SardonyxError) -> [(name: String, tensor: Tensor)] {
        do throws(SardonyxError) {
            guard let separator = entry.firstIndex(of: "=") else { return try Npz.arrays(entry) }
            let path = String(entry[entry.index(after: separator)...])
            let name = String(entry[..<separator])
            switch (path as NSString).pathExtension {
            case "npy": return [(name, try Npy.read(path))]
            case "pb": return [(name, try OnnxImporter.tensor(path: path))]
            default:
                throw SardonyxError(
                    .usage, "--input", "file type", got: "'\(path)'", allowed: ".npy, .pb, or a whole .npz")
            }
        } catch {
            // What is wrong with a file of the caller's is no fault of the model.
            guard [.parse, .tensor, .external, .unsupported].contains(error.code) else { throw error }
            throw SardonyxError(.input, error.place, error.message)
        }
    }
}
