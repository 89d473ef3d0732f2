import GraphIR
import Operators
import TensorCore

/// Chooses the layout of every float32 feature map: each operator says what it would like, given the layouts in which
/// its inputs exist, and a Reorder is inserted where a reader wants another one. Graph outputs end plain.
package enum PropagateLayouts: GraphPass {
    package static let name = "propagate-layouts"
    package static let summary = "keep feature maps in blocked layout between the operators that read it"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var walk = Walk(graph)
        for (index, node) in graph.nodes.enumerated() { try walk.visit(index, node, context) }
        try walk.finish(&graph)
    }

    private struct Walk {
        let graph: Graph
        var patch: GraphPatch
        var layouts: [ValueID: Layout] = [:]
        /// Reordered copies by value and layout.
        var copies: [ValueID: [Layout: ValueID]] = [:]
        /// No plan holds these, and only plans know layouts.
        let isDynamic: [Bool]

        init(_ graph: Graph) {
            self.graph = graph
            self.isDynamic = graph.dynamicValues()
            self.patch = GraphPatch(graph)
        }

        mutating func visit(_ index: Int, _ node: Node, _ context: PassContext) throws(SardonyxError) {
            var inputs: [TensorInfo?] = []
            for input in node.inputs { inputs.append(try info(input)) }
            var outputs: [TensorInfo?] = []
            for output in node.outputs { outputs.append(try info(output)) }
            let isConcrete =
                zip(node.inputs + node.outputs, inputs + outputs).allSatisfy { $0 == nil || $1 != nil }
                && node.subgraphs.isEmpty
            let choice =
                isConcrete
                ? try OperatorTable.makeOperator(for: node, opset: context.opsets[node.domain] ?? 1)
                    .preferredLayouts(inputs, outputs) : nil
            var changed = node
            for (position, input) in node.inputs.enumerated() {
                guard let input else { continue }
                let wanted = choice.map { position < $0.inputs.count ? $0.inputs[position] : .plain } ?? .plain
                if wanted != layouts[input] ?? .plain {
                    changed.inputs[position] = copy(of: input, in: wanted, before: index)
                }
            }
            if changed.inputs != node.inputs { patch.replace(index, with: changed) }
            for (position, output) in node.outputs.enumerated() {
                guard let output, let choice, position < choice.outputs.count else { continue }
                layouts[output] = choice.outputs[position]
            }
        }

        private func info(_ value: ValueID?) throws(SardonyxError) -> TensorInfo? {
            guard let value, !isDynamic[value.index], case .tensor(let dtype, let symbolic?)? = graph[value].type,
                let shape = try symbolic.concrete()
            else { return nil }
            return TensorInfo(dtype: dtype, shape: shape, layout: layouts[value] ?? .plain)
        }

        private mutating func copy(of value: ValueID, in layout: Layout, before index: Int) -> ValueID {
            if let copy = copies[value]?[layout] { return copy }
            var reordered = Value(name: Name(graph[value].name.string + "·\(layout)"), type: graph[value].type)
            reordered.layout = layout
            let copy = patch.addValue(reordered)
            patch.insert(reorder(value, copy, layout, named: reordered.name), before: index)
            copies[value, default: [:]][layout] = copy
            return copy
        }

        private func reorder(_ source: ValueID, _ target: ValueID, _ layout: Layout, named name: Name) -> Node {
            Node(
                name: name, domain: Domains.internal, opType: "Reorder",
                inputs: [source], outputs: [target], attributes: ["layout": .string(Array(layout.description.utf8))],
                origins: [])
        }

        /// Applies the layouts; a blocked graph output is computed under another name and reordered into its own.
        mutating func finish(_ graph: inout Graph) throws(SardonyxError) {
            var renamed: [ValueID: ValueID] = [:]
            for output in Set(graph.outputs).sorted() where layouts[output] == .blocked16 {
                var inner = graph[output]
                inner.name = Name(inner.name.string + "·blocked16")
                inner.layout = .blocked16
                renamed[output] = patch.addValue(inner)
                layouts[output] = .plain
            }
            for (value, layout) in layouts { graph[value].layout = layout }
            try patch.apply(to: &graph)
            guard !renamed.isEmpty else { return }
            for index in graph.nodes.indices {
                graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0.map { renamed[$0] ?? $0 } }
                graph.nodes[index].outputs = graph.nodes[index].outputs.map { $0.map { renamed[$0] ?? $0 } }
            }
            for (output, inner) in renamed.sorted(by: { $0.key < $1.key }) {
                if let index = graph.nodes.firstIndex(where: { $0.isReorder(of: inner, to: "plain") }) {
                    // A reader already wanted it plain: that copy is the output.
                    let copy = graph.nodes[index].outputs[0]
                    graph.nodes[index].outputs = [output]
                    for reader in graph.nodes.indices {
                        graph.nodes[reader].inputs = graph.nodes[reader].inputs.map { $0 == copy ? output : $0 }
                    }
                } else {
                    graph.nodes.append(reorder(inner, output, .plain, named: graph[output].name))
                }
            }
        }
    }
}

extension Node {
    fileprivate func isReorder(of value: ValueID, to layout: String) -> Bool {
        guard domain == Domains.internal, opType == "Reorder", inputs.first == value,
            case .string(let bytes)? = attributes["layout"]
        else { return false }
        return String(decoding: bytes, as: UTF8.self) == layout
    }
}
