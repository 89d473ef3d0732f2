import ArgumentParser
import Foundation
import GraphIR
import OnnxExport
import OnnxImport
import Sardonyx

/// Options of every command that reads a model and writes another one.
struct ModelOutputFlags: ParsableArguments {
    @Option(name: .shortAndLong, help: "The ONNX file to write.") var output: String
    @Flag(help: "Put the weights into a file beside it, OUTPUT.data; models above 2 GiB do so anyway.")
    var externalData = false
    @Flag(help: "Allow the output to take the place of the input.") var overwriteInput = false
    @Option(
        help: ArgumentHelp(
            "Directory that external tensor data may lie in (default: the model's own).", valueName: "directory"))
    var externalRoot: String?

    /// Reads the model as its file has it, and makes sure that writing will not replace it.
    /// - Throws: `usage` for an output that is the input, or whose data file belongs to another model; as
    ///   `OnnxImporter.load`.
    func load(_ path: String) throws(SardonyxError) -> ModelGraph {
        guard !output.isEmpty, !output.hasSuffix("/") else {
            throw SardonyxError(.usage, "--output", "not the name of a file", got: "'\(output)'")
        }
        if !overwriteInput {
            if Self.isSame(path, output) {
                throw SardonyxError(
                    .usage, "--output", "is the input", got: "'\(output)'",
                    hint: "--overwrite-input replaces it")
            }
            let data = OnnxExporter.externalPath(for: output)
            let files = FileManager.default
            if files.fileExists(atPath: data), !files.fileExists(atPath: output) {
                throw SardonyxError(
                    .usage, "--output", "a data file of this name may belong to another model", got: "'\(data)'",
                    hint: "Remove it, take another name, or give --overwrite-input")
            }
        }
        return try OnnxImporter.load(path: path, externalRoot: externalRoot)
    }

    func write(_ model: ModelGraph) throws(SardonyxError) -> OnnxExporter.Summary {
        let summary = try OnnxExporter.write(model, to: output, externalData: externalData)
        for id in model.graph.inputs + model.graph.outputs {
            guard case .tensor(_, nil)? = model.graph[id].type else { continue }
            Console.error("note: the rank of '\(model.graph[id].name)' is not known, which onnx.checker refuses")
        }
        return summary
    }

    /// Whether two paths lead to one file.
    private static func isSame(_ a: String, _ b: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard stat(a, &first) == 0, stat(b, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }
}

/// A written file, for reports.
struct WrittenFile: Encodable {
    let path: String
    let bytes: Int
    let externalPath: String?
    let externalBytes: Int?

    init(_ path: String, _ summary: OnnxExporter.Summary) {
        self.path = path
        bytes = summary.byteCount
        externalPath = summary.externalPath
        externalBytes = summary.externalByteCount
    }

    /// For example `small.onnx, 1.2 KiB`.
    var text: String {
        "\(path), \(Units.bytes(bytes))"
            + (externalPath.map { ", and \($0), \(Units.bytes(externalBytes ?? 0))" } ?? "")
    }
}
