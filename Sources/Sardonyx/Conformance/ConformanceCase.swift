import Execution
import Foundation
import GraphIR
import OnnxImport
import Operators
import Passes
import TensorCore

/// One case of the standard backend test layout: `model.onnx`, `test_data_set_<k>/{input,output}_<i>.pb` and, where the
/// default tolerances do not hold, `tolerance.json` with `rtol` and `atol`.
package struct ConformanceCase: Sendable {
    package enum Outcome: Sendable, Hashable {
        case passed
        /// With what was wrong first.
        case failed(String)
        /// With what this build does not have.
        case unsupported(String)
    }

    /// What computes the outputs.
    package enum Engine: String, Sendable, CaseIterable {
        /// Each node by itself, in order: no pass, no plan.
        case nodes
        /// The optimised graph by its plan.
        case plan
    }

    package let directory: String
    package var name: String { directory.split(separator: "/").last.map(String.init) ?? directory }

    package init(directory: String) { self.directory = directory }

    /// All cases at or below a directory, by name.
    package static func cases(below root: String) -> [ConformanceCase] {
        guard let walk = FileManager.default.enumerator(atPath: root) else { return [] }
        let models = walk.compactMap { $0 as? String }.filter { $0 == "model.onnx" || $0.hasSuffix("/model.onnx") }
        return models.sorted().map {
            ConformanceCase(directory: $0 == "model.onnx" ? root : root + "/" + $0.dropLast(11))
        }
    }

    package func run(_ engine: Engine, threads: Int = 1) -> Outcome {
        do {
            let model = try OnnxImporter.load(path: directory + "/model.onnx").expandingGradients()
            let comparison = tolerance()
            let sets = try FileManager.default.contentsOfDirectory(atPath: directory).filter {
                $0.hasPrefix("test_data_set_")
            }.sorted()
            for set in sets {
                if let difference = try check(model, directory + "/" + set, comparison, engine, threads) {
                    return .failed("\(set): \(difference)")
                }
            }
            return .passed
        } catch let error as SardonyxError where error.code == .unsupported {
            return .unsupported(error.description)
        } catch {
            return .failed("\(error)")
        }
    }

    private func tolerance() -> TensorComparison {
        struct Tolerance: Decodable {
            var rtol: Double
            var atol: Double
        }
        guard let data = FileManager.default.contents(atPath: directory + "/tolerance.json"),
            let given = try? JSONDecoder().decode(Tolerance.self, from: data)
        else { return TensorComparison() }
        return TensorComparison(relative: given.rtol, absolute: given.atol)
    }

    private func check(
        _ model: ModelGraph, _ set: String, _ comparison: TensorComparison, _ engine: Engine, _ threads: Int
    ) throws(SardonyxError) -> String? {
        var feeds: [RuntimeValue?] = []
        for (index, id) in model.graph.inputs.enumerated() {
            feeds.append(try value(set + "/input_\(index).pb", model.graph[id]))
        }
        let results =
            switch engine {
            case .nodes: try NodeByNode(model, threads: threads).run(feeds)
            case .plan: try planned(model, feeds, threads)
            }
        for (index, id) in model.graph.outputs.enumerated() {
            guard let expected = try value(set + "/output_\(index).pb", model.graph[id]) else { continue }
            if let difference = try comparison.difference(results[index], expected) {
                return "output '\(model.graph[id].name)': \(difference)"
            }
        }
        return nil
    }

    private func planned(
        _ model: ModelGraph, _ feeds: [RuntimeValue?], _ threads: Int
    ) throws(SardonyxError) -> [RuntimeValue] {
        let present = feeds.compactMap { $0 }
        guard present.count == feeds.count else { throw SardonyxError(.input, name, "a file of an input is missing") }
        return try GraphExecutor(model, options: ExecutionOptions(threads: threads)).run(values: present)
    }

    /// The value in a file; where there is none, nothing for an optional and `nil` for what must be there.
    private func value(_ path: String, _ value: Value) throws(SardonyxError) -> RuntimeValue? {
        guard let type = value.type else { throw SardonyxError(.graph, "'\(value.name)'", "has no type") }
        guard FileManager.default.fileExists(atPath: path) else {
            if case .optional = type { return .absent(type) }
            return nil
        }
        return try OnnxImporter.value(path: path, type: type)
    }
}
