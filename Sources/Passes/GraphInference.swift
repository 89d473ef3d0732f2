import GraphIR
import Operators
import TensorCore

/// Forward inference of types, shapes and constant values over a whole graph.
///
/// One walk in topological order: every node's `infer` sees what is known of its inputs, small shape arithmetic is
/// carried as symbolic contents, and, when asked, nodes whose inputs are all constant are evaluated.
package struct GraphInference: Sendable {
    package let opsets: [String: Int]
    /// Evaluates constant nodes; `nil` leaves them.
    package var evaluator: Evaluator?
    /// Nodes that the table lacks leave their declared types, and constants without data are values like others,
    /// instead of failing: for looking into a graph.
    package var toleratesGaps = false

    /// Which constant results are computed.
    package var folding = FoldingRule.execution

    /// As `InferContext.countsWindowsInPadding`.
    private var countsWindowsInPadding = false
    let interruption: (any Interruption)?
    /// Subgraphs around the graph that is walked.
    package private(set) var depth = 0

    /// - Parameter interruption: asked before every node.
    package init(opsets: [String: Int], evaluator: Evaluator? = nil, interruption: (any Interruption)? = nil) {
        self.opsets = opsets
        self.evaluator = evaluator
        self.interruption = interruption
    }

    /// Sets `type` of every value, and `constant` of those that turn out to be constant.
    /// - Parameter bindings: concrete shapes for graph inputs.
    /// - Throws: what the operators find wrong, and `shape` when a declared output type contradicts the inferred one.
    package func run(on graph: inout Graph, bindings: [ValueID: Shape] = [:]) throws(SardonyxError) {
        var known = constants(of: graph)
        for id in graph.inputs + graph.captures where known[id.index] == nil {
            guard let type = graph[id].type else { continue }
            if let shape = bindings[id], let dtype = type.dtype {
                known[id.index] = Inferred(dtype, SymbolicShape(shape))
            } else {
                known[id.index] = Inferred(type)
            }
        }
        try walk(graph, &known)
        let outputs = Set(graph.outputs)
        for index in graph.values.indices {
            guard let result = known[index] else { continue }
            if outputs.contains(ValueID(index)) {
                do { try checkDeclared(graph.values[index], result.type) } catch {
                    guard isDeclaredByShapeInference(ValueID(index), graph, bindings) else { throw error }
                }
            }
            graph.values[index].type =
                toleratesGaps ? result.type.refined(by: graph.values[index].type) : result.type
            graph.values[index].constant = result.constant
        }
    }

    private func constants(of graph: Graph) -> [Inferred?] {
        graph.values.map { value in value.constant.map { withoutMissingData(Inferred($0)) } }
    }

    private func withoutMissingData(_ inferred: Inferred) -> Inferred {
        toleratesGaps && inferred.constant?.fault != nil ? Inferred(inferred.type) : inferred
    }

    private func walk(_ graph: Graph, _ known: inout [Inferred?]) throws(SardonyxError) {
        for node in graph.nodes {
            try interruption?.check()
            let results = try infer(node, known, graph)
            for (output, result) in zip(node.outputs, results) {
                if let output { known[output.index] = result }
            }
        }
    }

    private func infer(_ node: Node, _ known: [Inferred?], _ graph: Graph) throws(SardonyxError) -> [Inferred?] {
        let opset = opsets[node.domain] ?? 1
        let declared = node.outputs.map { $0.flatMap { graph[$0].type }.map { Inferred($0) } }
        guard
            node.domain == Domains.internal
                || OperatorTable.entry(domain: node.domain, name: node.opType, opset: opset) != nil
                || !toleratesGaps
        else { return declared }
        let inputs = node.inputs.map { $0.flatMap { known[$0.index] } }
        for (position, input) in node.inputs.enumerated() where input != nil && inputs[position] == nil {
            if toleratesGaps { return declared }
            throw SardonyxError(.graph, node.label, "the type of input \(position) is not known")
        }
        var context = InferContext(node: node, opset: opset, inputs: inputs)
        context.countsWindowsInPadding = countsWindowsInPadding
        context.subgraphs = self
        var results: [Inferred]
        do {
            results = try OperatorTable.inferred(
                try OperatorTable.makeOperator(for: node, opset: opset), context
            ).map(withoutMissingData)
        } catch {
            throw (error.place.isEmpty ? error.placed(at: node.label) : error).adding(context: "inferring shapes")
        }
        foldContents(&results)
        if let evaluator, let folded = try evaluate(node, opset, inputs, results, evaluator) { return folded }
        return results
    }

    /// Turns completely known contents (the result of shape arithmetic) into constants.
    private func foldContents(_ results: inout [Inferred]) {
        for index in results.indices where results[index].constant == nil {
            guard let content = results[index].content, let values = SymbolicShape(content).knownDims,
                case .tensor(let dtype, let symbolic?) = results[index].type, let dims = symbolic.knownDims,
                dims.count <= 1, dims.first ?? 1 == values.count
            else { continue }
            let tensor: Tensor? =
                switch dtype {
                case .int64: try? Tensor(values.map { Int64($0) }, dims: dims)
                case .int32: try? Tensor(values.map { Int32(truncatingIfNeeded: $0) }, dims: dims)
                default: nil
                }
            if let tensor { results[index].constant = Constant(tensor) }
        }
    }

    private func evaluate(
        _ node: Node, _ opset: Int, _ inputs: [Inferred?], _ results: [Inferred], _ evaluator: Evaluator
    ) throws(SardonyxError) -> [Inferred?]? {
        guard !node.drawsNumbers, !folding.kept.contains(node.opType),
            node.subgraphs.isEmpty, results.allSatisfy({ $0.type.dtype != nil }),
            !results.allSatisfy({ $0.constant != nil }),
            zip(node.inputs, inputs).allSatisfy({ $0 == nil || $1?.constant != nil })
        else { return nil }
        var bytes = 0
        for result in results {
            guard case .tensor(let dtype, let symbolic?) = result.type, let shape = try symbolic.concrete() else {
                // A data-dependent result (NonZero of a constant): bounded by its inputs.
                continue
            }
            bytes += shape.elementCount * dtype.byteSize
        }
        let constants = inputs.map { $0?.constant }
        let sizes = constants.compactMap { $0.map { $0.shape.elementCount * $0.dtype.byteSize } }
        guard folding.allows(resultByteCount: bytes, inputByteCounts: sizes) else { return nil }
        var tensors: [Tensor?] = []
        for constant in constants { tensors.append(try constant?.tensor()) }
        do {
            let outputs = try evaluator.outputs(
                of: node, opset: opset, inputs: tensors, constants: constants, interruption: interruption)
            return zip(outputs, results).map { output, result in output.map { Inferred(Constant($0)) } ?? result }
        } catch {
            throw error.adding(context: "folding constants")
        }
    }

    private func checkDeclared(_ value: Value, _ inferred: ValueType) throws(SardonyxError) {
        if let declared = value.type?.dtype, let dtype = inferred.dtype, declared != dtype {
            throw SardonyxError(
                .shape, "output '\(value.name)'", "the declared element type is not what the graph computes",
                got: "\(declared) declared", allowed: "\(dtype) inferred")
        }
        guard let declared = value.type?.shape, let shape = inferred.shape else { return }
        let agree =
            declared.rank == shape.rank
            && zip(declared.dims, shape.dims).allSatisfy { $0.value == nil || $1.value == nil || $0.value == $1.value }
        guard agree else {
            throw SardonyxError(
                .shape, "output '\(value.name)'", "the declared shape is not what the graph computes",
                got: "\(declared) declared", allowed: "\(shape) inferred")
        }
    }

    /// Whether a declared output that contradicts the inferred one is what ONNX's own shape inference makes of a pool
    /// of `ceil_mode` somewhere before it.
    private func isDeclaredByShapeInference(_ id: ValueID, _ graph: Graph, _ bindings: [ValueID: Shape]) -> Bool {
        let hasCeilMode = graph.nodes.contains { node in
            if case .int(let mode)? = node.attributes["ceil_mode"] { mode != 0 } else { false }
        }
        guard hasCeilMode, !countsWindowsInPadding else { return false }
        var inference = self
        inference.countsWindowsInPadding = true
        var copy = graph
        for output in graph.outputs where output != id { copy[output].type = nil }
        do { try inference.run(on: &copy, bindings: bindings) } catch { return false }
        return true
    }
}

extension GraphInference: SubgraphInference {
    /// What is known of a subgraph's outputs; nothing about it is kept.
    package func outputs(of graph: Graph, inputs: [Inferred]) throws(SardonyxError) -> [Inferred] {
        guard inputs.count == graph.inputs.count, graph.captures.isEmpty else {
            throw SardonyxError(
                .internal, "graph '\(graph.name)'", "inputs of a subgraph", got: "\(inputs.count)",
                allowed: "\(graph.inputs.count) and \(graph.captures.count) captured")
        }
        var inner = self
        inner.depth += 1
        inner.evaluator = nil
        var known = constants(of: graph)
        for (id, input) in zip(graph.inputs, inputs) { known[id.index] = input }
        try inner.walk(graph, &known)
        var outputs: [Inferred] = []
        for id in graph.outputs {
            guard let output = known[id.index] else {
                throw SardonyxError(.graph, "graph '\(graph.name)'", "the type of '\(graph[id].name)' is not known")
            }
            outputs.append(output)
        }
        return outputs
    }
}
