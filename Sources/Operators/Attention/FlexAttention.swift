import GraphIR
import TensorCore

/// ai.onnx.preview FlexAttention (1): Y = p(softmax(s(scale Q Kᵀ))) V for `[B, H, L, D]`, where the graphs s
/// (`score_mod`) and p (`prob_mod`) change all scores `[B, H, M, L]` or probabilities at once.
struct FlexAttention: Operator {
    static let elementTypes: [DType] = DType.floating

    private var plain: DotProductAttention
    private var scoreGraph, probabilityGraph: ScoreGraph?

    init(_ node: NodeReader) throws(SardonyxError) {
        plain = try DotProductAttention(node)
        scoreGraph = try ScoreGraph(node, "score_mod")
        probabilityGraph = try ScoreGraph(node, "prob_mod")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        for index in 0..<3 { try context.requireRank(index, 4...4, "input \(index)") }
        return Array(try plain.infer(context).prefix(1))
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        try plain.prepare(context)
        try scoreGraph?.prepare(context)
        try probabilityGraph?.prepare(context)
    }

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

/// A graph attribute from one tensor to one of the same type and shape.
private struct ScoreGraph: Sendable {
    private var graph: Subgraph

    /// `nil` when the node has no such attribute.
    init?(_ node: NodeReader, _ name: String) throws(SardonyxError) {
        guard node.has(name) else { return nil }
        graph = try Subgraph(node, name)
        try graph.requireSignature(inputs: 1, outputs: 1, at: node)
        guard node.node.captureCount == 0, graph.graph.captures.isEmpty else {
            throw node.error(
                .unsupported, "attribute \(name)", got: "a graph that reads outer values", allowed: "none")
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        try graph.prepare([.tensor(try context.input(0).dtype, nil)], context)
    }

    func apply(to tensor: Tensor, _ context: RunContext) throws(SardonyxError) -> Tensor {
        let output = try graph.run([.tensor(tensor)], context)[0]
        guard case .tensor(let changed) = output, changed.shape == tensor.shape, changed.dtype == tensor.dtype else {
            throw context.error(
                .shape, "output of graph '\(graph.graph.name)'", got: "\(output.type)",
                allowed: "\(tensor.dtype)\(tensor.shape)")
        }
        return changed
    }
}
