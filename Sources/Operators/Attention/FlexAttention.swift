import GraphIR
import TensorCore

/// ai.onnx.preview FlexAttention (1): Y = p(softmax(s(scale Q Kᵀ))) V for `[B, H, L, D]`, where the graphs s
/// (`score_mod`) and p (`prob_mod`) change all scores `[B, H, M, L]` or probabilities at once.
struct FlexAttention: Operator {
    private var plain: DotProductAttention
    private let scoreGraph, probabilityGraph: ScoreGraph?

    init(_ node: NodeReader) throws(SardonyxError) {
        plain = try DotProductAttention(node)
        scoreGraph = try ScoreGraph(node, "score_mod")
        probabilityGraph = try ScoreGraph(node, "prob_mod")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        for index in 0..<3 { try context.requireRank(index, 4...4, "input \(index)") }
        return Array(try plain.infer(context).prefix(1))
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) { try plain.prepare(context) }

    var scratchByteCount: Int { plain.scratchByteCount }

    func run(_ context: RunContext) throws(SardonyxError) {
        if scoreGraph == nil, probabilityGraph == nil {
            try plain.run(context)
        } else if try context.input(0).dtype == .float64 {
            try run(Double.self, context)
        } else {
            try run(Float.self, context)
        }
    }

    private func run<T: AttentionElement>(_ type: T.Type, _ context: RunContext) throws(SardonyxError) {
        guard let form = plain.form else { return }
        let (q, k, v) = (try context.input(0), try context.input(1), try context.input(2))
        let y = try context.output(0).typed(T.self)
        let shape = try context.shape(of: [form.batch, form.heads, form.rows, form.keys])
        try context.budget.check(
            CheckedSize.product(shape.elementCount, 2, T.dtype.byteSize) ?? .max, for: context.label)
        var table = try Tensor(dtype: T.dtype, shape: shape) { (memory) throws(SardonyxError) in
            try form.run(
                q: UnsafePointer(q.typed(T.self)), k: UnsafePointer(k.typed(T.self)),
                v: UnsafePointer(v.typed(T.self)), y: y, bias: nil, spans: KeySpans(),
                scores: (memory.assumingMemoryBound(to: T.self), .product), scratch: context.scratch, context)
        }
        if let scoreGraph { table = try scoreGraph.apply(to: table, context) }
        let scores = table
        table = try Tensor(dtype: T.dtype, shape: shape) { (memory) throws(SardonyxError) in
            let rows = memory.assumingMemoryBound(to: T.self)
            rows.update(from: scores.pointer.assumingMemoryBound(to: T.self), count: shape.elementCount)
            guard form.keys > 0 else { return }
            for first in stride(from: 0, to: shape.elementCount, by: form.keys) { T.softmax(rows + first, form.keys) }
        }
        if let probabilityGraph { table = try probabilityGraph.apply(to: table, context) }
        try form.combine(
            table.pointer.assumingMemoryBound(to: T.self), v: UnsafePointer(v.typed(T.self)), y: y,
            scratch: context.scratch, context)
        withExtendedLifetime((scores, table)) {}
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        plain.multiplyAccumulates(inputs, outputs)
    }
}

/// A graph attribute from one tensor to one of the same type and shape, run node by node. Its operators are of the
/// newest opset, because a node knows the version of its own domain only.
private struct ScoreGraph: Sendable {
    private let graph: Graph

    /// `nil` when the node has no such attribute.
    init?(_ node: NodeReader, _ name: String) throws(SardonyxError) {
        guard let attribute = node.node.attributes[name] else { return nil }
        guard case .graph(let graph) = attribute, graph.inputs.count == 1, graph.outputs.count == 1 else {
            throw node.error(.graph, "attribute \(name) must be a graph of one input and one output")
        }
        guard graph.captures.isEmpty else {
            throw node.error(
                .unsupported, "attribute \(name)", got: "a graph that reads outer values", allowed: "none")
        }
        self.graph = graph
    }

    func apply(to tensor: Tensor, _ context: RunContext) throws(SardonyxError) -> Tensor {
        let evaluator = Evaluator(threads: context.threads, budget: context.budget)
        var values: [Tensor?] = []
        for value in graph.values { values.append(try value.constant?.tensor()) }
        for input in graph.inputs { values[input.index] = tensor }
        for node in graph.nodes {
            try context.interruption?.check()
            let inputs = node.inputs.map { $0.flatMap { values[$0.index] } }
            let outputs = try evaluator.outputs(
                of: node, opset: OperatorTable.newestOpset, inputs: inputs, interruption: context.interruption)
            for case (let id?, let output) in zip(node.outputs, outputs) { values[id.index] = output }
        }
        guard let output = graph.outputs.first.flatMap({ values[$0.index] }), output.shape == tensor.shape,
            output.dtype == tensor.dtype
        else {
            throw context.error(
                .shape, "output of graph '\(graph.name)'", got: "another type or shape",
                allowed: "\(tensor.dtype)\(tensor.shape)")
        }
        return output
    }
}
