import GraphIR
import TensorCore

/// Finds where differences begin, from the errors of the values that could be compared.
///
/// A value that could not be compared is taken to be as good as what it was made from.
struct DivergenceSearch {
    /// Nodes in topological order.
    private let graph: Graph
    private let producers: [Int?]
    private let rows: [ValueID: Comparison.Row]
    private let resetsInputs: Bool

    init(_ graph: Graph, _ rows: [ValueID: Comparison.Row], resetsInputs: Bool) {
        self.graph = graph
        self.producers = graph.producers()
        self.rows = rows
        self.resetsInputs = resetsInputs
    }

    /// Nodes whose results are beyond tolerance while all that they read is within, in order; each with the nodes
    /// before it that could not be compared.
    func beginnings() -> [(node: Int, suspects: [Int])] {
        var isBeyond = [Bool](repeating: false, count: graph.values.count)
        // Nodes that could not be compared, through which a value comes from those that could.
        var unseen = [Set<Int>](repeating: [], count: graph.values.count)
        var found: [(node: Int, suspects: [Int])] = []
        for (index, node) in graph.nodes.enumerated() {
            let inputs = node.inputs.compactMap { $0 }
            let readsBeyond = !resetsInputs && inputs.contains { isBeyond[$0.index] }
            let between = inputs.reduce(into: Set<Int>()) { $0.formUnion(unseen[$1.index]) }
            let compared = node.outputs.compactMap { $0.flatMap { rows[$0] } }
            if compared.contains(where: { !$0.isWithin }), !readsBeyond { found.append((index, between.sorted())) }
            for case let output? in node.outputs {
                if let row = rows[output] {
                    isBeyond[output.index] = !row.isWithin
                } else {
                    isBeyond[output.index] = compared.isEmpty ? readsBeyond : !compared.allSatisfy(\.isWithin)
                    // So long a list names nobody.
                    if compared.isEmpty, between.count < 32 { unseen[output.index] = between.union([index]) }
                }
            }
        }
        return found
    }

    /// - Parameters:
    ///   - weights: of a node, with their errors where the reference has them, too.
    func first(
        weights: (Node) throws(SardonyxError) -> [Divergence.Input]
    ) throws(SardonyxError) -> Divergence? {
        let beginnings = beginnings()
        let folded = wrongConstants()
        guard let (index, suspects) = beginnings.first else { return folded.first.map(Self.divergence) }
        let node = graph.nodes[index]
        var inputs: [Divergence.Input] = []
        for case let id? in node.inputs where graph[id].constant == nil {
            let kind: Divergence.Input.Kind =
                graph.inputs.contains(id) ? .fed : rows[id] != nil ? .compared : .unseen
            inputs.append(Divergence.Input(value: graph[id].name.string, kind: kind, error: rows[id]?.error))
        }
        let outputs = node.outputs.compactMap { $0.flatMap { rows[$0] } }
        // What was computed at load comes before the step that reads it.
        if let first = folded.first, let step = outputs.first?.step, first.step <= step {
            return Self.divergence(first)
        }
        return Divergence(
            step: outputs.first?.step ?? 0, node: node.name.string, domain: node.domain, operatorName: node.opType,
            origins: node.sources, outputs: outputs, inputs: inputs + (try weights(node)),
            suspects: suspects.map(label), others: beginnings.dropFirst().map { label($0.node) })
    }

    /// Results that were computed when the model was loaded and are beyond tolerance, in the order of their readers.
    private func wrongConstants() -> [Comparison.Row] {
        rows.filter { graph[$0.key].constant != nil && !$0.value.isWithin }.sorted {
            ($0.value.step, $0.key) < ($1.value.step, $1.key)
        }.map(\.value)
    }

    private static func divergence(_ row: Comparison.Row) -> Divergence {
        Divergence(
            step: row.step, node: row.node, domain: row.domain, operatorName: row.operatorName, origins: row.origins,
            outputs: [row], inputs: [], suspects: [], others: [])
    }

    private func label(_ index: Int) -> String {
        let node = graph.nodes[index]
        let output = node.outputs.compactMap { $0 }.first.map { graph[$0].name.string } ?? ""
        return Comparison.label(node.name.string, node.domain, node.opType, output)
    }
}
