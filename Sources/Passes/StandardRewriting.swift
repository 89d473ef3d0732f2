import GraphIR
import Operators
import TensorCore

/// Makes a model smaller and plainer without leaving the standard's operators, so that it can be written as a file, the
/// bodies of its If, Loop and Scan nodes like the graph around them.
package struct StandardRewriting: Sendable {
    /// The passes, with the operator set from which on their results have standard forms.
    private static let table: [(opset: Int, pass: any GraphPass.Type)] = [
        (1, RemoveIdentities.self),
        (1, FoldConstants.self),
        (1, InlineConstantIfs.self),
        (1, ComposeViews.self),
        (1, MergeDuplicates.self),
        (7, FuseConvBias.self),
        (7, FuseConvBatchNorm.self),
        (1, RemoveRedundantRelus.self),
        (20, FuseGelu.self),
        (14, FuseHardSwish.self),
        (24, FuseSilu.self),
    ]

    /// More rounds gain nothing but time.
    private static let mostRounds = 4

    /// The passes by name, each with what it does.
    package static var passes: [(name: String, summary: String)] { table.map { ($0.pass.name, $0.pass.summary) } }

    /// A constant result that was not computed.
    package struct Unfolded: Sendable {
        package var node: String
        package var type: ValueType
    }

    private let disabled: Set<String>
    private let largestGrowth: Int
    private let evaluator: Evaluator

    /// - Parameters:
    ///   - disabled: names of passes to leave out.
    ///   - largestGrowth: constant results that take so many bytes more than what they are made of are not computed.
    package init(disabled: Set<String>, largestGrowth: Int, evaluator: Evaluator) {
        self.disabled = disabled
        self.largestGrowth = largestGrowth
        self.evaluator = evaluator
    }

    /// Rewrites a model; operators that are not known stay as they are.
    /// - Returns: constant results that were left, because they are large.
    /// - Throws: `unsupported` for Gradient nodes, which name values; what inference and passes find wrong.
    package func run(
        on model: inout ModelGraph, interruption: (any Interruption)? = nil
    ) throws(SardonyxError) -> [Unfolded] {
        if let node = model.graph.nodes.first(where: { $0.domain == Domains.training && $0.opType == "Gradient" }) {
            throw SardonyxError(
                .unsupported, node.label, "names values of the graph in its attributes, so that no pass may run",
                hint: "Write the model with no pass")
        }
        let opset = model.opsets[Domains.onnx] ?? 1
        let passes = Self.table.filter { $0.opset <= opset }.map(\.pass) + [StandardForms.self]
        var pipeline = Pipeline(opsets: model.opsets, disabled: disabled, evaluator: evaluator)
        pipeline.folding = .file(largestGrowth: largestGrowth)
        pipeline.toleratesGaps = true
        var graph = model.graph
        graph.closeSubgraphs()
        var unfolded: [Unfolded] = []
        try rewrite(&graph, &unfolded) { (graph) throws(SardonyxError) in
            try pipeline.run(passes, on: &graph, interruption: interruption)
        }
        graph.reopenSubgraphs()
        graph.removeDeadCode()
        graph.compactValues()
        try graph.validate()
        model.graph = graph
        return unfolded
    }

    /// - Parameter graph: closed, as its bodies.
    private func rewrite(
        _ graph: inout Graph, _ unfolded: inout [Unfolded], _ pass: (inout Graph) throws(SardonyxError) -> Void
    ) throws(SardonyxError) {
        for _ in 0..<Self.mostRounds {
            let before = graph.nodes.map(\.opType)
            try pass(&graph)
            if graph.nodes.map(\.opType) == before { break }
        }
        if !disabled.contains(FoldConstants.name) { unfolded += self.unfolded(graph) }
        for index in graph.nodes.indices where graph.nodes[index].hasSubgraphs {
            let captured = graph.nodes[index].inputs.suffix(graph.nodes[index].captureCount).map { id in
                id.flatMap { graph[$0].type }
            }
            try graph.nodes[index].mapSubgraphs { (body) throws(SardonyxError) in
                try rewrite(body: &body, captured, &unfolded, pass)
            }
        }
    }

    /// - Parameter captured: types of the last inputs.
    private func rewrite(
        body: inout Graph, _ captured: [ValueType?], _ unfolded: inout [Unfolded],
        _ pass: (inout Graph) throws(SardonyxError) -> Void
    ) throws(SardonyxError) {
        let declared = Dictionary(body.values.map { ($0.name, $0.type) }) { first, _ in first }
        var (rewritten, left) = (body, unfolded)
        // What the body declares of what a loop carries need not hold for every round.
        for id in body.inputs.dropLast(captured.count) { rewritten[id].type = body[id].type?.withoutShapes }
        for (id, type) in zip(body.inputs.suffix(captured.count), captured) { rewritten[id].type = type }
        do { try rewrite(&rewritten, &left, pass) } catch {
            guard ![.cancelled, .deadline, .limit, .internal].contains(error.code) else { throw error }
            // A branch that does not fit what it captures is one that is not taken.
            return
        }
        // Nor is what was inferred true in such a branch.
        for index in rewritten.values.indices {
            rewritten.values[index].type = declared[rewritten.values[index].name] ?? nil
        }
        (body, unfolded) = (rewritten, left)
    }

    /// Nodes whose result is constant, but was not computed.
    private func unfolded(_ graph: Graph) -> [Unfolded] {
        var found: [Unfolded] = []
        for node in graph.nodes where node.subgraphs.isEmpty && !node.drawsNumbers && node.domain == Domains.onnx {
            guard let output = node.outputs.first ?? nil, let type = graph[output].type,
                node.inputs.allSatisfy({ $0.map { graph[$0].constant != nil } ?? true })
            else { continue }
            found.append(Unfolded(node: node.label, type: type))
        }
        return found
    }
}

/// Gives operators that other passes made inside the names that the standard has for them.
private enum StandardForms: GraphPass {
    static let name = "standard-forms"
    static let summary = "write internal operators as those of the standard"

    static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var patch = GraphPatch(graph)
        for (index, node) in graph.nodes.enumerated() where node.domain == Domains.internal {
            guard let name = standardName(node.opType) else { continue }
            patch.change(index) {
                $0.domain = Domains.onnx
                $0.opType = name
            }
        }
        try patch.apply(to: &graph)
    }

    private static func standardName(_ name: String) -> String? {
        switch name {
        case "Gelu", "HardSwish": name
        case "Silu": "Swish"
        default: nil
        }
    }
}
