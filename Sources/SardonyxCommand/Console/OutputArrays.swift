import Foundation
import NumpyIO
import Sardonyx
import TensorCore

/// The NumPy file that the outputs of a model go to; what would stop it from being written is found before the run.
///
/// Element types that NumPy does not have are stored as their bits: bfloat16 as uint16, narrower ones as uint8 or int8.
struct OutputArrays {
    private let path: String
    /// Positions of the outputs that are written: of outputs that the model names twice, the first.
    private let positions: [(name: String, index: Int)]
    private var isSingle: Bool { (path as NSString).pathExtension.lowercased() == "npy" }

    /// - Throws: `usage` for a `.npy` file and several outputs, `input` for a place that cannot be written to.
    init(_ path: String, for outputs: [Signature]) throws(SardonyxError) {
        self.path = path
        var seen = Set<[UInt8]>()
        positions = outputs.enumerated().filter { seen.insert(Array($1.name.utf8)).inserted }.map { ($1.name, $0) }
        if isSingle, positions.count != 1 {
            throw SardonyxError(
                .usage, "--output", "a .npy file holds one array", got: "\(positions.count) outputs",
                allowed: "1 output, or a .npz file")
        }
        try Self.requireWritable(path)
    }

    /// - Throws: `input` for a place that cannot be written to.
    static func requireWritable(_ path: String) throws(SardonyxError) {
        let parent = (path as NSString).deletingLastPathComponent
        let directory = parent.isEmpty ? "." : parent
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        guard !(exists && isDirectory.boolValue) else {
            throw SardonyxError(.input, path, "cannot write", got: "a directory", allowed: "a file")
        }
        guard exists || FileManager.default.fileExists(atPath: directory) else {
            throw SardonyxError(.input, path, "cannot write", got: "no directory '\(directory)'")
        }
        guard FileManager.default.isWritableFile(atPath: exists ? path : directory) else {
            throw SardonyxError(.input, path, "cannot write", got: "no permission")
        }
    }

    /// - Parameter outputs: all outputs of the model, in their order.
    /// - Throws: `input` when the file cannot be written.
    func write(_ outputs: [Tensor]) throws(SardonyxError) {
        var arrays: [(name: String, tensor: Tensor)] = []
        for (name, index) in positions { arrays.append((name, outputs[index].bits)) }
        if isSingle, let only = arrays.first {
            try Npy.write(only.tensor, to: path)
        } else {
            try Npz.write(arrays, to: path)
        }
    }
}
