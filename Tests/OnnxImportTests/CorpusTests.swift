import Glibc
import GraphIR
import TensorCore
import TestSupport
import Testing

@testable import OnnxImport

/// Every model below `$SARDONYX_MODEL_CORPUS` (a directory) loads, or fails with an error that is not a bug of ours.
/// Prints a line for each.
@Suite struct CorpusTests {
    static let directory = getenv("SARDONYX_MODEL_CORPUS").map { String(cString: $0) }

    @Test(.enabled(if: directory != nil)) func everyModelLoadsOrFailsCleanly() throws {
        let directory = try #require(Self.directory)
        for file in try modelFiles(in: directory) {
            let before = residentKiB()
            let start = ContinuousClock.now
            do throws(SardonyxError) {
                let model = try OnnxImporter.load(path: directory + "/" + file)
                let loading = ContinuousClock.now - start
                let after = residentKiB()
                var bytes = 0
                for value in model.graph.values {
                    if let constant = value.constant { bytes += try constant.tensor().byteCount }
                }
                try model.graph.validate()
                print(
                    "\(file): \(model.graph.nodes.count) nodes, \(bytes) constant bytes, load \(loading), "
                        + "with every constant \(ContinuousClock.now - start), resident +\(after - before) KiB, then +\(residentKiB() - after)"
                )
            } catch {
                print("\(file): \(error) [\(ContinuousClock.now - start)]")
                #expect(error.code != .internal, "\(file)")
            }
        }
    }

    private func modelFiles(in path: String) throws -> [String] {
        let directory = try #require(opendir(path))
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".onnx") { names.append(name) }
        }
        return names.sorted()
    }

    /// Resident memory of this process.
    private func residentKiB() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [UInt8](repeating: 0, count: 128)
        let count = fread(&line, 1, line.count, file)
        let fields = String(decoding: line.prefix(count), as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 : 0
    }
}
