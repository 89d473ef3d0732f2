import GraphIR
import NumpyIO
import Sardonyx

/// Writes every value of a run to a `.npz` file, as `sardonyx compare` reads it.
struct ValueRecorder {
    struct Report: Encodable {
        let count: Int
        let byteCount: Int
        /// Sequences and optionals, which such a file cannot hold.
        let leftOut: [String]
    }

    private let run: ModelRun

    init(_ run: ModelRun) { self.run = run }

    /// - Throws: as `Session.run`; `limit` when all values take more than the session's memory, `input` when the file
    ///   cannot be written.
    func write(_ feeds: [Name: Tensor], to path: String, limits: RunOptions) throws(SardonyxError) -> Report {
        var arrays: [(name: String, tensor: Tensor)] = []
        var leftOut: [String] = []
        var byteCount = 0
        var progress = ProgressLine(unit: "steps")
        defer { progress.finish() }
        try run.forEachValue(feeds: feeds.mapValues(RuntimeValue.tensor), run: limits) {
            progress.show($0, of: $1)
        } _: { (name, value) throws(SardonyxError) in
            guard let tensor = value.tensor else { return leftOut.append(name.string) }
            byteCount = CheckedSize.sum(byteCount, tensor.byteCount) ?? .max
            guard byteCount <= run.options.memoryLimit else {
                throw SardonyxError(
                    .limit, path, "memory for all values", got: "\(byteCount) bytes and more",
                    allowed: "\(run.options.memoryLimit) bytes in all", hint: "Raise it with --memory")
            }
            arrays.append((name.string, tensor.bits))
        }
        try Npz.write(arrays, to: path)
        return Report(count: arrays.count, byteCount: byteCount, leftOut: leftOut)
    }
}
