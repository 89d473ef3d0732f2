import CKernels
import GraphIR
import Operators
import TensorCore

/// Nodes that no plan holds: those whose shapes depend on data (NonZero, NonMaxSuppression and all after them), and
/// those that take or make values that are no tensors.
///
/// Each is run when its inputs are there, and a value is let go after its last reader. Operators that run on values, and
/// with them the plans of their subgraphs, are prepared once; others are inferred and prepared for what they are given.
package struct DynamicTail: Sendable {
    package let nodes: [Node]
    private let graph: Graph
    private let opsets: [String: Int]
    private let evaluator: Evaluator
    /// By node: values that nobody reads afterwards.
    private let releases: [[ValueID]]
    /// By node: operators that are ready.
    private let prepared: [(any Operator)?]

    /// - Parameter graph: with inferred types; operators on values whose input types it lacks are prepared by each run.
    init(
        nodes: [Node], graph: Graph, opsets: [String: Int], evaluator: Evaluator, interruption: (any Interruption)?
    ) throws(SardonyxError) {
        self.nodes = nodes
        self.graph = graph
        self.opsets = opsets
        self.evaluator = evaluator
        var lastReader: [ValueID: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for case let input? in node.inputs { lastReader[input] = index }
        }
        let kept = Set(graph.outputs)
        var releases = [[ValueID]](repeating: [], count: nodes.count)
        for (value, reader) in lastReader where !kept.contains(value) { releases[reader].append(value) }
        self.releases = releases
        var prepared: [(any Operator)?] = []
        for node in nodes {
            let types = node.inputs.map { $0.flatMap { graph[$0].type } }
            let isTyped = zip(node.inputs, types).allSatisfy { $0 == nil || $1 != nil }
            var op: (any Operator)?
            if isTyped {
                var made = try OperatorTable.makeOperator(for: node, opset: opsets[node.domain] ?? 1)
                if made.runsOnValues(types) {
                    try evaluator.prepareForValues(&made, node, types, interruption: interruption)
                    op = made
                }
            }
            prepared.append(op)
        }
        self.prepared = prepared
    }

    /// - Parameter values: what the static part and the caller provide; gains what the tail makes.
    func run(
        _ values: inout [ValueID: RuntimeValue], interruption: Interruption?, observer: StepObserver?
    ) throws(SardonyxError) {
        var run = TailRun(tail: self, values: values, interruption: interruption, observer: observer)
        values = [:]
        withUnsafeMutablePointer(to: &run) {
            sx_with_team(
                Int32(evaluator.threads), Int32(SystemLimits.processors),
                { $0?.assumingMemoryBound(to: TailRun.self).pointee.run() }, $0)
        }
        if let fault = run.fault { throw fault }
        values = run.values
    }

    /// What the team's leader does; C hands on a pointer to it.
    private struct TailRun {
        let tail: DynamicTail
        var values: [ValueID: RuntimeValue]
        let interruption: Interruption?
        let observer: StepObserver?
        var fault: SardonyxError?

        mutating func run() {
            do throws(SardonyxError) { try tail.runNodes(&values, interruption, observer) } catch { fault = error }
        }
    }

    private func runNodes(
        _ values: inout [ValueID: RuntimeValue], _ interruption: Interruption?, _ observer: StepObserver?
    ) throws(SardonyxError) {
        for (index, node) in nodes.enumerated() {
            let inputs = try inputs(of: index, values)
            observer?.willRun(node)
            let outputs = try runNode(index, on: inputs, interruption: interruption)
            observer?.didRun(node)
            observer?.didRunTail(index, inputs.map { $0?.tensor }, outputs.map { $0?.tensor })
            for (output, value) in zip(node.outputs, outputs) {
                if let output { values[output] = value }
            }
            for value in released(after: index) { values[value] = nil }
        }
    }

    /// What a node reads, by position; constants that no value stands for are read from the model.
    func inputs(of index: Int, _ values: [ValueID: RuntimeValue]) throws(SardonyxError) -> [RuntimeValue?] {
        var inputs: [RuntimeValue?] = []
        for input in nodes[index].inputs {
            guard let input else {
                inputs.append(nil)
                continue
            }
            if let known = values[input] {
                inputs.append(known)
            } else if let constant = graph[input].constant {
                inputs.append(.tensor(try constant.tensor()))
            } else {
                throw SardonyxError(.internal, nodes[index].label, "input '\(graph[input].name)' was not computed")
            }
        }
        return inputs
    }

    /// Runs one node.
    /// - Returns: by output position; `nil` for omitted outputs only.
    func runNode(
        _ index: Int, on inputs: [RuntimeValue?], interruption: Interruption?
    ) throws(SardonyxError) -> [RuntimeValue?] {
        try interruption?.check()
        let node = nodes[index]
        let outputs: [RuntimeValue?]
        do {
            outputs = try run(index, node, inputs, interruption)
        } catch {
            throw error.place.isEmpty ? error.placed(at: node.label) : error
        }
        for (position, output) in node.outputs.enumerated()
        where output != nil && (position >= outputs.count || outputs[position] == nil) {
            throw SardonyxError(.internal, node.label, "output \(position) was not computed")
        }
        return outputs
    }

    /// Values that nobody reads after this node.
    func released(after index: Int) -> [ValueID] { releases[index] }

    private func run(
        _ index: Int, _ node: Node, _ inputs: [RuntimeValue?], _ interruption: Interruption?
    ) throws(SardonyxError) -> [RuntimeValue?] {
        if let op = prepared[index] {
            return try evaluator.run(op, of: node, on: inputs, interruption: interruption)
        }
        return try evaluator.values(
            of: node, opset: opsets[node.domain] ?? 1, inputs: inputs,
            constants: node.inputs.map { $0.flatMap { graph[$0].constant } }, interruption: interruption)
    }
}
