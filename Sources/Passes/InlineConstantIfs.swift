import GraphIR
import Operators
import TensorCore

/// Puts the branch that is always taken in the place of an If whose condition is constant.
package enum InlineConstantIfs: GraphPass {
    package static let name = "inline-constant-ifs"
    package static let summary = "put the branch that is always taken in the place of its If"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        // Each round takes away the Ifs around those that the next one finds.
        while true {
            var patch = GraphPatch(graph)
            var taken = Set(graph.nodes.map(\.name))
            for (index, node) in graph.nodes.enumerated() {
                guard let branch = try takenBranch(of: node, in: graph) else { continue }
                inline(branch, for: index, &patch, &taken)
            }
            guard !patch.isEmpty else { return }
            try patch.apply(to: &graph)
        }
    }

    /// Of an If of constant condition, as a function of what it captures (`Graph.closeSubgraphs`).
    private static func takenBranch(of node: Node, in graph: Graph) throws(SardonyxError) -> Graph? {
        guard node.domain == Domains.onnx, node.opType == "If", let condition = node.inputs.first ?? nil,
            let constant = graph[condition].constant, constant.dtype == .bool, constant.shape.elementCount == 1,
            let holds = try constant.tensor().elements(of: UInt8.self).first,
            case .graph(let branch)? = node.attributes[holds != 0 ? "then_branch" : "else_branch"],
            branch.captures.isEmpty, branch.inputs.count == node.captureCount,
            branch.outputs.count == node.outputs.count,
            node.inputs.suffix(node.captureCount).allSatisfy({ $0 != nil })
        else { return nil }
        return branch
    }

    private static func inline(_ branch: Graph, for index: Int, _ patch: inout GraphPatch, _ taken: inout Set<Name>) {
        let node = patch.base.nodes[index]
        var outer = [ValueID?](repeating: nil, count: branch.values.count)
        for (input, captured) in zip(branch.inputs, node.inputs.suffix(node.captureCount)) {
            outer[input.index] = captured
        }
        // What a node of the branch makes for one output only has that output's name.
        let producers = branch.producers()
        var copies: [(from: ValueID, to: ValueID)] = []
        for case (let inner, let output?) in zip(branch.outputs, node.outputs) {
            if outer[inner.index] == nil, producers[inner.index] != nil, branch[inner].constant == nil {
                outer[inner.index] = output
            } else {
                copies.append((inner, output))
            }
        }
        for (position, value) in branch.values.enumerated() where outer[position] == nil {
            outer[position] = patch.addValue(value)
        }
        patch.remove(index)
        func isNamed(_ name: Name) -> Name { name.isEmpty ? name : name.unused(in: &taken) }
        for var inner in branch.nodes {
            inner.name = isNamed(inner.name)
            inner.inputs = inner.inputs.map { $0.flatMap { outer[$0.index] } }
            inner.outputs = inner.outputs.map { $0.flatMap { outer[$0.index] } }
            patch.insert(inner, before: index)
        }
        for (from, to) in copies {
            patch.insert(
                Node(
                    name: isNamed(node.name), opType: "Identity", inputs: [outer[from.index]], outputs: [to],
                    origins: node.origins),
                before: index)
        }
    }
}
