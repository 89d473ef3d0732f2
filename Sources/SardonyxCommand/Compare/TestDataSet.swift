import Foundation
import GraphIR
import OnnxImport
import Sardonyx

/// A folder of the ONNX backend tests: `input_<i>.pb` and `output_<i>.pb`, by the model's inputs and outputs.
struct TestDataSet {
    private let directory: String
    let recording: Recording

    /// - Throws: `input` for a folder without outputs of this model.
    init(_ directory: String, of model: Model) throws(SardonyxError) {
        self.directory = directory
        let graph = model.content.graph
        var paths: [Name: (path: String, type: ValueType)] = [:]
        for (index, id) in graph.outputs.enumerated() {
            let path = directory + "/output_\(index).pb"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            paths[graph[id].name] = (path, graph[id].type ?? .tensor(.float32, nil))
        }
        guard !paths.isEmpty else {
            throw SardonyxError(
                .input, directory, "holds no outputs", allowed: "output_0.pb … of a test_data_set folder",
                hint: "sardonyx test takes whole folders of cases")
        }
        recording = Recording(names: graph.outputs.map { graph[$0].name }.filter { paths[$0] != nil }) {
            (name) throws(SardonyxError) in
            try paths[name].map { (entry) throws(SardonyxError) in try Self.read(entry.path, entry.type) }
        }
    }

    func input(_ index: Int, _ type: ValueType?) throws(SardonyxError) -> RuntimeValue? {
        let path = directory + "/input_\(index).pb"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try Self.read(path, type ?? .tensor(.float32, nil))
    }

    /// What is wrong with such a file is no fault of the model.
    private static func read(_ path: String, _ type: ValueType) throws(SardonyxError) -> RuntimeValue {
        do { return try OnnxImporter.value(path: path, type: type) } catch {
            throw SardonyxError(.input, error.place, error.message)
        }
    }
}
