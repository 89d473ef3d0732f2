import GraphIR
import Operators
import TensorCore

/// Nodes whose shapes depend on data (NonZero, NonMaxSuppression and all after them): each is inferred and run when
/// its inputs are there, and a value is let go after its last reader.
package struct DynamicTail: Sendable {
    package let nodes: [Node]
    private let graph: Graph
    private let opsets: [String: Int]
    /// By node: values that nobody reads afterwards.
    private let releases: [[ValueID]]

    init(nodes: [Node], graph: Graph, opsets: [String: Int]) {
        self.nodes = nodes
        self.graph = graph
        self.opsets = opsets
        var lastReader: [ValueID: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for case let input? in node.inputs { lastReader[input] = index }
        }
        let kept = Set(graph.outputs)
        var releases = [[ValueID]](repeating: [], count: nodes.count)
        for (value, reader) in lastReader where !kept.contains(value) { releases[reader].append(value) }
        self.releases = releases
    }

    /// - Parameter values: what the static part and the caller provide; gains what the tail makes.
    func run(
        _ values: inout [ValueID: Tensor], evaluator: Evaluator, interruption: Interruption?, observer: StepObserver?
    ) throws(SardonyxError) {
        for (index, node) in nodes.enumerated() {
            try interruption?.check()
            var inputs: [Tensor?] = []
            for input in node.inputs {
                guard let input else {
                    inputs.append(nil)
                    continue
                }
                let known = values[input]
                guard let tensor = known == nil ? try graph[input].constant?.tensor() : known else {
                    throw SardonyxError(.internal, node.label, "input '\(graph[input].name)' was not computed")
                }
                inputs.append(tensor)
            }
            observer?.willRun(node)
            let outputs: [Tensor?]
            do {
                outputs = try evaluator.outputs(
                    of: node, opset: opsets[node.domain] ?? 1, inputs: inputs,
                    constants: node.inputs.map { $0.flatMap { graph[$0].constant } }, interruption: interruption)
            } catch {
                throw error.place.isEmpty ? error.placed(at: node.label) : error
            }
            observer?.didRun(node)
            observer?.didRunTail(index, inputs, outputs)
            for (output, tensor) in zip(node.outputs, outputs) {
                guard let output else { continue }
                guard let tensor else { throw SardonyxError(.internal, node.label, "an output was not computed") }
                values[output] = tensor
            }
            for value in releases[index] { values[value] = nil }
        }
    }
}
