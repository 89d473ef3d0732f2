import GraphIR
import TensorCore

/// A graph attribute of a node, closed (`Graph.closeSubgraphs`), and what runs it.
struct Subgraph: Sendable {
    let graph: Graph
    private var runner: (any SubgraphRunner)?
    private var inference: (any SubgraphInference)?

    init(_ node: NodeReader, _ name: String) throws(SardonyxError) {
        guard let attribute = node.node.attributes[name] else {
            throw node.error(.graph, "attribute \(name) is missing")
        }
        guard case .graph(let graph) = attribute else { throw node.error(.graph, "attribute \(name) must be a graph") }
        self.graph = graph
    }

    /// - Throws: `graph` unless the graph has so many inputs besides captured ones, and so many outputs at least.
    func requireSignature(inputs: Int, outputs: Int, at node: NodeReader) throws(SardonyxError) {
        // Before subgraphs are closed, what they capture is not among their inputs.
        guard graph.inputs.count == inputs + node.node.captureCount, graph.outputs.count >= outputs else {
            throw node.error(
                .graph, "graph '\(graph.name)'",
                got: "\(graph.inputs.count - node.node.captureCount) inputs, \(graph.outputs.count) outputs",
                allowed: "\(inputs) inputs, \(outputs) or more outputs")
        }
    }

    func infer(_ inputs: [Inferred], _ context: InferContext) throws(SardonyxError) -> [Inferred] {
        guard let subgraphs = context.subgraphs else {
            throw context.error(.internal, "nothing here infers subgraphs")
        }
        do { return try subgraphs.outputs(of: graph, inputs: inputs) } catch {
            throw error.adding(context: "inferring graph '\(graph.name)' of \(context.node.label)")
        }
    }

    /// - Parameter types: of the graph's inputs, in order.
    mutating func prepare(_ types: [ValueType], _ context: PrepareContext) throws(SardonyxError) {
        guard let subgraphs = context.subgraphs else {
            throw context.error(.internal, "nothing here runs subgraphs")
        }
        inference = subgraphs.inference
        runner = subgraphs.runner(for: graph, inputs: types.map(\.withoutShapes), label: context.node.label)
    }

    /// - Returns: by graph output.
    func run(_ inputs: [RuntimeValue], _ context: RunContext) throws(SardonyxError) -> [RuntimeValue] {
        guard let runner else { throw context.error(.internal, "subgraph was not prepared") }
        do { return try runner.run(inputs, interruption: context.interruption) } catch {
            throw error.adding(context: "running graph '\(graph.name)' of \(context.label)")
        }
    }

    /// Axes and shapes are smaller.
    private static let largestKnownByteCount = 1024

    /// The types of the outputs, when none was computed: as inferred, and where that leaves them open as declared.
    /// - Parameters:
    ///   - inputs: types of what would change from run to run.
    ///   - captured: what would not, so that shapes may depend on its contents.
    func outputTypes(
        _ inputs: [ValueType], captured: [RuntimeValue], _ context: RunContext
    ) throws(SardonyxError) -> [ValueType] {
        guard let inference else { throw context.error(.internal, "subgraph was not prepared") }
        let known = captured.map { value in
            guard let tensor = value.tensor, tensor.byteCount <= Self.largestKnownByteCount else {
                return Inferred(value.type)
            }
            return Inferred(Constant(tensor))
        }
        let outputs = try inference.outputs(of: graph, inputs: inputs.map { Inferred($0) } + known)
        return zip(outputs, graph.outputs).map { $0.type.refined(by: graph[$1].type) }
    }
}

extension Subgraph {
    /// What holds before and after every iteration of a loop, and what the body makes of it.
    struct Invariant {
        let state: [ValueType]
        let outputs: [Inferred]
    }

    /// Widens the types of loop-carried values until the body maps them to themselves.
    ///
    /// Deep inside other loops extents are given up at once, so that inference takes time proportional to the model.
    /// - Parameters:
    ///   - initial: before the first iteration.
    ///   - before, after: the graph's inputs around the state.
    ///   - offset: of the state among the graph's outputs.
    func invariant(
        of initial: [Inferred], before: [Inferred], after: [Inferred], offset: Int, _ context: InferContext
    ) throws(SardonyxError) -> Invariant {
        var state = initial.map(\.type)
        let rounds = context.subgraphs?.depth ?? 0 < 2 ? 4 : 2
        var round = 1
        while true {
            if round == rounds { state = state.map(\.withoutShapes) }
            let outputs = try infer(before + state.map { Inferred($0) } + after, context)
            var widened: [ValueType] = []
            for (index, type) in state.enumerated() {
                guard let merged = type.merged(with: outputs[offset + index].type) else {
                    throw context.error(
                        .graph, "loop-carried value \(index)", got: "\(outputs[offset + index].type)",
                        allowed: "\(type) as before the first iteration")
                }
                widened.append(merged)
            }
            if widened == state || round == rounds { return Invariant(state: widened, outputs: outputs) }
            state = widened
            round += 1
        }
    }
}

extension InferContext {
    /// What the subgraphs take from the enclosing graph.
    func captured() throws(SardonyxError) -> [Inferred] {
        var captured: [Inferred] = []
        for index in inputs.indices.suffix(node.captureCount) { captured.append(try input(index)) }
        return captured
    }
}

extension PrepareContext {
    /// The types of these inputs, which must be present.
    func types(_ positions: some Sequence<Int>) throws(SardonyxError) -> [ValueType] {
        var types: [ValueType] = []
        for position in positions {
            guard position < inputTypes.count, let type = inputTypes[position] else {
                throw error(.graph, "input \(position) is missing")
            }
            types.append(type)
        }
        return types
    }
}

extension RunContext {
    /// The values of these inputs, which must be present.
    func values(_ positions: some Sequence<Int>) throws(SardonyxError) -> [RuntimeValue] {
        var values: [RuntimeValue] = []
        for position in positions { values.append(try value(position)) }
        return values
    }

    /// The truth value of a condition.
    /// - Throws: `shape` unless it is one bool.
    func condition(_ value: RuntimeValue, _ role: String) throws(SardonyxError) -> Bool {
        guard case .tensor(let tensor) = value, tensor.dtype == .bool, tensor.shape.elementCount == 1 else {
            throw error(.shape, role, got: "\(value.type)", allowed: "one bool")
        }
        return tensor.elements(of: UInt8.self)[0] != 0
    }
}
