import GraphIR
import TensorCore

/// Runs single nodes on tensors, outside any plan: for constant folding, values whose shapes depend on data, tests.
package struct Evaluator: Sendable {
    package let threads: Int
    package let budget: MemoryBudget
    package let weights: WeightCache

    package init(threads: Int = 1, budget: MemoryBudget = .unlimited, weights: WeightCache = WeightCache()) {
        self.threads = threads
        self.budget = budget
        self.weights = weights
    }

    /// The outputs of one node; entries for omitted outputs are `nil`.
    /// - Parameters:
    ///   - opset: the version of the node's domain.
    ///   - inputs: by position, `nil` for omitted ones.
    ///   - constants: the same inputs as graph constants where they are ones, so that packed weights are shared.
    /// - Throws: whatever the operator finds wrong.
    package func outputs(
        of node: Node, opset: Int, inputs: [Tensor?], constants: [Constant?] = [], interruption: Interruption? = nil
    ) throws(SardonyxError) -> [Tensor?] {
        var op = try OperatorTable.makeOperator(for: node, opset: opset)
        let known: [Constant?] = inputs.indices.map { index in
            (index < constants.count ? constants[index] : nil) ?? inputs[index].map(Constant.init)
        }
        let inferred = try op.infer(
            InferContext(node: node, opset: opset, inputs: known.map { $0.map { Inferred($0) } }))
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
            outputs.append(try Tensor(dtype: dtype, shape: shape) { (_) throws(SardonyxError) in })
            infos.append(TensorInfo(dtype: dtype, shape: shape))
        }
        let inputInfos = inputs.map { $0.map { TensorInfo(dtype: $0.dtype, shape: $0.shape) } }
        try op.prepare(
            PrepareContext(
                node: node, inputs: inputInfos, outputs: infos, constants: known, threads: threads, weights: weights,
                budget: budget, interruption: interruption))
        // Nothing to write: a plan leaves such a node out, too.
        if outputs.allSatisfy({ $0?.shape.elementCount == 0 }), !outputs.isEmpty { return outputs }
        try budget.check(op.scratchByteCount, for: node.label)
        let scratch = try Buffer(byteCount: op.scratchByteCount)
        let context = RunContext(
            label: node.label, inputs: inputs.map { $0.map(TensorView.init(reading:)) },
            outputs: outputs.map { $0.map(TensorView.init(reading:)) }, scratch: scratch.pointer,
            threads: threads, interruption: interruption, budget: budget)
        try op.run(context)
        withExtendedLifetime((inputs, known)) {}
        return zip(outputs, context.allocated).map { $1 ?? $0 }
    }

    private func placing<Result>(
        _ node: Node, _ body: () throws(SardonyxError) -> Result
    ) throws(SardonyxError) -> Result {
        do { return try body() } catch { throw error.placed(at: node.label) }
    }
}
