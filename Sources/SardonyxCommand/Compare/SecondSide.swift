import Foundation
import GraphIR
import NumpyIO
import Sardonyx

/// What `sardonyx compare` compares a model with.
struct SecondSide {
    let reference: ComparisonReference
    /// For headings.
    let label: String
    /// What was recorded of the inputs, by name; `nil` for a second run, which takes what the first takes.
    private let recordedInputs: ((ValueType?, Name, Int) throws(SardonyxError) -> RuntimeValue?)?

    /// - Returns: `nil` when there is neither a path nor another option.
    init?(
        path: String?, against: [String], flags: SessionFlags, run: ModelRun,
        load: (String) throws(SardonyxError) -> Model
    ) throws(SardonyxError) {
        guard let path else {
            guard !against.isEmpty else { return nil }
            reference = .run(try AgainstFlag.run(against, flags, run))
            label = against.joined(separator: ",")
            recordedInputs = nil
            return
        }
        label = path
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw SardonyxError(.input, path, "no such file or directory")
        }
        if isDirectory.boolValue {
            let set = try TestDataSet(path, of: run.model)
            reference = .recording(set.recording)
            recordedInputs = { (type, _, index) throws(SardonyxError) in try set.input(index, type) }
            return
        }
        switch (path as NSString).pathExtension.lowercased() {
        case "npz":
            let reader = try NpzReader(path)
            let names = Set(reader.names.map { Name($0) })
            let recording = Recording(names: reader.names.map { Name($0) }) { (name) throws(SardonyxError) in
                .tensor(try reader.tensor(name.string))
            }
            reference = .recording(recording)
            recordedInputs = { (type, name, _) throws(SardonyxError) in
                guard names.contains(name) else { return nil }
                let tensor = try reader.tensor(name.string)
                let isRaw = type?.dtype.map { $0 != tensor.dtype && $0.stored == tensor.dtype } ?? false
                return .tensor(isRaw ? tensor.bits(as: type?.dtype ?? tensor.dtype) : tensor)
            }
        case "npy":
            guard let output = run.model.outputs.first, run.model.outputs.count == 1 else {
                throw SardonyxError(
                    .usage, path, "a .npy file holds one output", got: "a model with \(run.model.outputs.count)",
                    allowed: "a .npz file")
            }
            reference = .recording(Recording([output.name: try Npy.read(path)]))
            recordedInputs = nil
        default:
            var other = run
            other.model = try load(path)
            reference = .run(other)
            recordedInputs = nil
        }
    }

    /// Every input of the model: what was recorded, else what the flags and the picture say.
    /// - Parameter names: the recording's names by the model's, where they differ.
    /// - Throws: `input` for one that a recording lacks and nobody gave: random numbers would not be those of the
    ///   recorded run.
    func feeds(
        for run: ModelRun, _ flags: InputFlags, names: [String: String], picture: [String: Tensor]?
    ) throws(SardonyxError) -> [Name: RuntimeValue] {
        let model = run.model
        guard case .recording = reference else {
            if let picture {
                var feeds = try flags.given(for: model)
                for (name, tensor) in picture where feeds[Name(name)] == nil { feeds[Name(name)] = tensor }
                return feeds.mapValues(RuntimeValue.tensor)
            }
            return try flags.named(for: model, memoryLimit: run.options.memoryLimit).mapValues(RuntimeValue.tensor)
        }
        var feeds = try flags.given(for: model).mapValues(RuntimeValue.tensor)
        for (index, id) in model.content.graph.inputs.enumerated() {
            let input = model.content.graph[id]
            guard feeds[input.name] == nil else { continue }
            let recorded = names[input.name.string].map { Name($0) } ?? input.name
            feeds[input.name] = try recordedInputs?(input.type, recorded, index)
            if feeds[input.name] == nil {
                throw SardonyxError(
                    .input, label, "does not hold the input '\(recorded)' of the run that it records",
                    hint: "Give it: --input \(input.name)=FILE")
            }
        }
        return feeds
    }
}
