import GraphIR
import Sardonyx

/// Everything about one node.
struct NodeText: Encodable {
    struct Operand: Encodable {
        let name: String
        let type: String
        let byteCount: Int?
        /// Labels of the nodes that make or read it; the model's interface as `input` and `output`.
        let links: [String]
        let weight: WeightReport?
    }

    struct Kernel: Encodable {
        let label: String
        let algorithm: String
        /// Counted from 1; `nil` where nothing runs.
        let step: Int?
        /// Nodes of the file that the kernel computes.
        let computes: [String]
    }

    let label: String
    /// Labels of the nodes in whose bodies it is.
    let path: [String]
    let attributes: [GraphReport.Attribute]
    /// `nil` for omitted ones.
    let inputs: [Operand?]
    let outputs: [Operand?]
    let multiplyAccumulates: Int?
    let byteCount: Int?
    /// What runs it; empty where the model has no plan, and for nodes in bodies.
    let kernels: [Kernel]

    init(_ place: NodePlace, _ picture: ModelPicture) {
        let (graph, node) = (place.graph, place.graph.nodes[place.index])
        label = node.label
        path = place.path
        attributes = node.attributes
        let links = Links(graph)
        inputs = node.inputs.map { id in id.map { Operand($0, graph, links.maker[$0].map { [$0] } ?? [], picture) } }
        outputs = node.outputs.map { id in id.map { Operand($0, graph, links.readers[$0] ?? [], picture) } }
        multiplyAccumulates = node.multiplyAccumulates
        byteCount = node.byteCount
        kernels =
            place.path.isEmpty
            ? (picture.plan?.graph.nodes ?? []).filter { $0.origins.contains(place.index) }.map { kernel in
                Kernel(
                    label: kernel.label, algorithm: kernel.algorithm, step: kernel.step.map { $0 + 1 },
                    computes: kernel.origins.map { graph.nodes[$0].label })
            } : []
    }

    /// Who makes and who reads each value.
    private struct Links {
        private(set) var maker: [Int: String] = [:]
        private(set) var readers: [Int: [String]] = [:]

        init(_ graph: GraphReport) {
            for id in graph.inputs { maker[id] = "input" }
            for id in graph.captures { maker[id] = "outside" }
            for node in graph.nodes {
                for case let id? in node.outputs { maker[id] = node.label }
                for case let id? in node.inputs { readers[id, default: []].append(node.label) }
            }
            for id in graph.outputs { readers[id, default: []].append("output") }
        }
    }

    var text: String {
        var lines = path.map { "in \($0)" } + [label]
        if !attributes.isEmpty { lines += ["", "Attributes"] }
        for attribute in attributes { lines += InspectText.wrapped("\(attribute.name): \(attribute.value)", indent: 2) }
        lines += operands("Inputs", inputs, "from") + operands("Outputs", outputs, "to")
        lines.append("")
        if let multiplyAccumulates, multiplyAccumulates > 0 {
            lines.append("\(Units.count(multiplyAccumulates)) multiply-accumulates")
        }
        if let byteCount { lines.append("\(Units.bytes(byteCount)) read and written") }
        for kernel in kernels {
            let step = kernel.step.map { "step \($0): " } ?? "nothing to run: "
            lines += ["", "Runs as"] + InspectText.wrapped(step + kernel.label, indent: 2)
            if !kernel.algorithm.isEmpty { lines.append("  algorithm \(kernel.algorithm)") }
            if kernel.computes.count > 1 {
                lines += InspectText.wrapped(
                    "together with " + kernel.computes.filter { $0 != label }.joined(separator: ", "), indent: 2)
            }
        }
        return lines.joined(separator: "\n")
    }

    private func operands(_ title: String, _ operands: [Operand?], _ link: String) -> [String] {
        guard !operands.isEmpty else { return [] }
        var lines = ["", title]
        for (index, operand) in operands.enumerated() {
            guard let operand else {
                lines.append("  \(index)  absent")
                continue
            }
            let size = operand.byteCount.map { ", \(Units.bytes($0))" } ?? ""
            lines += InspectText.wrapped("\(index)  \(operand.name) \(operand.type)\(size)", indent: 2, by: 3)
            if !operand.links.isEmpty {
                let shown = operand.links.prefix(6).joined(separator: ", ")
                lines += InspectText.wrapped(
                    "\(link) \(shown)" + (operand.links.count > 6 ? " and \(operand.links.count - 6) more" : ""),
                    indent: 5)
            }
            if let weight = operand.weight { lines += Self.describe(weight) }
        }
        return lines
    }

    private static func describe(_ weight: WeightReport) -> [String] {
        if !weight.elements.isEmpty {
            return InspectText.wrapped("= " + weight.elements.joined(separator: ", "), indent: 5)
        }
        let number = WeightText.number
        return [
            "     \(number(weight.minimum)) to \(number(weight.maximum)), mean \(number(weight.mean)), "
                + "spread \(number(weight.standardDeviation))  \(WeightText.histogram(weight))"
        ]
    }
}

extension NodeText.Operand {
    fileprivate init(_ id: Int, _ graph: GraphReport, _ links: [String], _ picture: ModelPicture) {
        let value = graph.values[id]
        name = value.name
        type = value.type
        byteCount = value.byteCount
        self.links = links
        weight = value.weight.map { picture.weights[$0] }
    }
}

/// Where a node is: in the graph of the file, or in a body.
struct NodePlace {
    let graph: GraphReport
    let index: Int
    let path: [String]
}

extension GraphReport {
    /// Nodes of this name, those that make a value of this name where no node has it; bodies included.
    func places(of name: String) -> [NodePlace] {
        let named = places(path: []) { node, _ in node.name == name }
        return named.isEmpty
            ? places(path: []) { node, graph in node.outputs.contains { $0.map { graph.values[$0].name } == name } }
            : named
    }

    private func places(path: [String], _ isWanted: (Node, GraphReport) -> Bool) -> [NodePlace] {
        nodes.indices.flatMap { index -> [NodePlace] in
            let node = nodes[index]
            let inside = node.bodies.flatMap { $0.graph.places(path: path + [node.label], isWanted) }
            return (isWanted(node, self) ? [NodePlace(graph: self, index: index, path: path)] : []) + inside
        }
    }

    /// Of all nodes, bodies included.
    var nodeNames: [String] { nodes.flatMap { [$0.name] + $0.bodies.flatMap(\.graph.nodeNames) } }
}

extension GraphReport.Node {
    /// For messages: `Conv 'layer1.0.conv1'`.
    var label: String {
        let kind = Domains.qualified(operatorName, in: domain)
        return name.isEmpty ? kind : "\(kind) '\(name)'"
    }
}
