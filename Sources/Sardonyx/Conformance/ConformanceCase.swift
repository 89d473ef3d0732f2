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
        var feeds: [Tensor?] = []
        for (index, id) in model.graph.inputs.enumerated() {
            feeds.append(try tensor(set + "/input_\(index).pb", model.graph[id]))
        }
        let results =
            switch engine {
            case .nodes: try NodeByNode(model, threads: threads).run(feeds)
            case .plan: try planned(model, feeds, threads)
            }
        for (index, id) in model.graph.outputs.enumerated() {
            guard let expected = try tensor(set + "/output_\(index).pb", model.graph[id]) else { continue }
            guard let actual = results[index] else { return "output '\(model.graph[id].name)' is missing" }
            if let difference = try comparison.difference(actual, expected) {
                return "output '\(model.graph[id].name)': \(difference)"
            }
        }
        return nil
    }

    private func planned(_ model: ModelGraph, _ feeds: [Tensor?], _ threads: Int) throws(SardonyxError) -> [Tensor?] {
        let present = feeds.compactMap { $0 }
        guard present.count == feeds.count else { throw SardonyxError(.unsupported, name, "absent optional input") }
        return try GraphExecutor(model, options: ExecutionOptions(threads: threads)).run(present)
    }

    /// The tensor in a file; `nil` when there is none, as for an absent optional input.
    private func tensor(_ path: String, _ value: Value) throws(SardonyxError) -> Tensor? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard case .tensor? = value.type else {
            throw SardonyxError(
                .unsupported, "'\(value.name)'", "type", got: value.type?.description ?? "none", allowed: "tensors")
        }
        return try OnnxImporter.tensor(path: path)
    }
}

/// Runs a graph one node at a time, without passes or a plan.
struct NodeByNode {
    private let model: ModelGraph
    private let evaluator: Evaluator

    init(_ model: ModelGraph, threads: Int) {
        self.model = model
        self.evaluator = Evaluator(threads: threads)
    }

    /// - Parameter feeds: by graph input; `nil` for those that are not given.
    /// - Returns: by graph output; `nil` for those that nothing computed.
    func run(_ feeds: [Tensor?]) throws(SardonyxError) -> [Tensor?] {
        let graph = model.graph
        var values = [Tensor?](repeating: nil, count: graph.values.count)
        for (index, value) in graph.values.enumerated() { values[index] = try value.constant?.tensor() }
        for (id, feed) in zip(graph.inputs, feeds) { values[id.index] = feed }
        for node in graph.nodes {
            let inputs = node.inputs.map { $0.flatMap { values[$0.index] } }
            let outputs = try evaluator.outputs(of: node, opset: model.opsets[node.domain] ?? 1, inputs: inputs)
            for (id, output) in zip(node.outputs, outputs) {
                if let id { values[id.index] = output }
            }
        }
        return graph.outputs.map { values[$0.index] }
    }
}
