import GraphIR
import TensorCore

/// Runs single nodes on values, outside any plan: for constant folding, values whose shapes depend on data, tests.
package struct Evaluator: Sendable {
    package let threads: Int
    package let budget: MemoryBudget
    package let weights: WeightCache
    /// Runs the subgraphs of nodes; without it such nodes cannot run.
    package var subgraphs: (any SubgraphHost)?

    package init(
        threads: Int = 1, budget: MemoryBudget = .unlimited, weights: WeightCache = WeightCache(),
        subgraphs: (any SubgraphHost)? = nil
    ) {
        self.threads = threads
        self.budget = budget
        self.weights = weights
        self.subgraphs = subgraphs
    }

    /// The outputs of one node on tensors; entries for omitted outputs, and for those that are no tensors, are `nil`.
    /// - Parameters:
    ///   - opset: the version of the node's domain.
    ///   - inputs: by position, `nil` for omitted ones.
    ///   - constants: the same inputs as graph constants where they are ones, so that packed weights are shared.
    /// - Throws: whatever the operator finds wrong.
    package func outputs(
        of node: Node, opset: Int, inputs: [Tensor?], constants: [Constant?] = [], interruption: Interruption? = nil
    ) throws(SardonyxError) -> [Tensor?] {
        let values = try values(
            of: node, opset: opset, inputs: inputs.map { $0.map(RuntimeValue.tensor) }, constants: constants,
            interruption: interruption)
        return values.map { $0?.tensor }
    }

    /// The outputs of one node on values of any kind; entries for omitted outputs are `nil`.
    /// - Throws: whatever the operator finds wrong.
    package func values(
        of node: Node, opset: Int, inputs: [RuntimeValue?], constants: [Constant?] = [],
        interruption: Interruption? = nil
    ) throws(SardonyxError) -> [RuntimeValue?] {
        var op = try OperatorTable.makeOperator(for: node, opset: opset)
        let types = inputs.map { $0?.type }
        if op.runsOnValues(types) {
            try prepareForValues(&op, node, types, interruption: interruption)
            return try run(op, of: node, on: inputs, interruption: interruption)
        }
        var tensors: [Tensor?] = []
        for (position, input) in inputs.enumerated() {
            guard let input else {
                tensors.append(nil)
                continue
            }
            guard let tensor = input.tensor else {
                throw SardonyxError(.graph, node.label, "input \(position) must be a tensor", got: "\(input.type)")
            }
            tensors.append(tensor)
        }
        return try run(&op, node, opset: opset, tensors, constants, interruption)
    }

    /// Prepares an operator that runs on values; once is enough for any number of runs.
    package func prepareForValues(
        _ op: inout any Operator, _ node: Node, _ types: [ValueType?], interruption: Interruption?
    ) throws(SardonyxError) {
        try op.prepare(
            PrepareContext(
                node: node, inputs: types.map { _ in nil }, outputs: node.outputs.map { _ in nil }, constants: [],
                threads: threads, weights: weights, budget: budget, interruption: interruption, inputTypes: types,
                subgraphs: subgraphs))
    }

    /// Runs a prepared operator that runs on values.
    package func run(
        _ op: any Operator, of node: Node, on inputs: [RuntimeValue?], interruption: Interruption?
    ) throws(SardonyxError) -> [RuntimeValue?] {
        let context = RunContext(
            label: node.label, inputs: inputs.map { $0?.tensor.map(TensorView.init(reading:)) },
            outputs: node.outputs.map { _ in nil }, threads: threads, interruption: interruption, budget: budget,
            inputValues: inputs)
        try op.run(context)
        withExtendedLifetime(inputs) {}
        return context.made
    }

    private func run(
        _ op: inout any Operator, _ node: Node, opset: Int, _ inputs: [Tensor?], _ constants: [Constant?],
        _ interruption: Interruption?
    ) throws(SardonyxError) -> [RuntimeValue?] {
        let known: [Constant?] = inputs.indices.map { index in
            (index < constants.count ? constants[index] : nil) ?? inputs[index].map(Constant.init)
        }
        let inferred = try OperatorTable.inferred(
            op, InferContext(node: node, opset: opset, inputs: known.map { $0.map { Inferred($0) } }))
        var outputs: [Tensor?] = []
        var infos: [TensorInfo?] = []
        for (index, output) in node.outputs.enumerated() {
            guard output != nil, index < inferred.count, case .tensor(let dtype, let symbolic?) = inferred[index].type,
                let shape = try placing(node, { () throws(SardonyxError) in try symbolic.concrete() })
            else {
                outputs.append(nil)
                infos.append(nil)
                continue
            }
            try budget.check(shape.elementCount * dtype.byteSize, for: node.label)
            outputs.append(try Tensor(resultOf: dtype, shape: shape))
            infos.append(TensorInfo(dtype: dtype, shape: shape))
        }
        let inputInfos = inputs.map { $0.map { TensorInfo(dtype: $0.dtype, shape: $0.shape) } }
        try op.prepare(
            PrepareContext(
                node: node, inputs: inputInfos, outputs: infos, constants: known, threads: threads, weights: weights,
                budget: budget, interruption: interruption, subgraphs: subgraphs))
        // Nothing to write: a plan leaves such a node out, too.
        if outputs.allSatisfy({ $0?.shape.elementCount == 0 }), !outputs.isEmpty {
            return outputs.map { $0.map(RuntimeValue.tensor) }
        }
        try budget.check(op.scratchByteCount, for: node.label)
        let scratch = try Buffer(byteCount: op.scratchByteCount)
        let context = RunContext(
            label: node.label, inputs: inputs.map { $0.map(TensorView.init(reading:)) },
            outputs: outputs.map { $0.map(TensorView.init(reading:)) }, scratch: scratch.pointer,
            threads: threads, interruption: interruption, budget: budget)
        try op.run(context)
        withExtendedLifetime((inputs, known)) {}
        return zip(outputs, context.made).map { output, made in made ?? output.map(RuntimeValue.tensor) }
    }

    private func placing<Result>(
        _ node: Node, _ body: () throws(SardonyxError) -> Result
    ) throws(SardonyxError) -> Result {
        do { return try body() } catch { throw error.placed(at: node.label) }
    }
}
