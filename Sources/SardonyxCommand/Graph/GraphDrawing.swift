import Foundation
import Sardonyx

/// One graph as it is drawn: what stands in its boxes, and where they lie.
struct GraphDrawing {
    /// What a box stands for; the number is that of a value or of a node in the report.
    enum Subject {
        case input(Int)
        case capture(Int)
        case node(Int)
        case output(Int)
    }

    struct Item {
        let subject: Subject
        let title: String
        /// The shape of the first output.
        let subtitle: String
        /// `nil` for inputs and outputs.
        let kind: OperatorClass?
    }

    let report: GraphReport
    let items: [Item]
    /// Between items; `value` is that of the report.
    let edges: [GraphLayout.Edge]
    let layout: GraphLayout

    static let nodeHeight = 42.0
    static let pillHeight = 38.0
    static let titleSize = 12.5
    static let subtitleSize = 10.5

    init(_ report: GraphReport, scopes: GraphScopes) {
        self.report = report
        var items: [Item] = []
        var scopeOfItem: [[String]] = []
        var maker = [Int?](repeating: nil, count: report.values.count)
        func add(_ item: Item, _ scope: [String] = []) {
            items.append(item)
            scopeOfItem.append(scope)
        }
        func pill(_ subject: Subject, _ value: Int) {
            add(
                Item(
                    subject: subject, title: report.values[value].name,
                    subtitle: Self.shape(report.values[value].type), kind: nil))
        }
        for (values, subject) in [(report.inputs, Subject.input), (report.captures, Subject.capture)] {
            for value in values where maker[value] == nil {
                maker[value] = items.count
                pill(subject(value), value)
            }
        }
        for (index, node) in report.nodes.enumerated() {
            for case let output? in node.outputs { maker[output] = items.count }
            add(
                Item(
                    subject: .node(index), title: Self.title(node),
                    subtitle: node.outputs.first.flatMap { $0 }.map { Self.shape(report.values[$0].type) } ?? "",
                    kind: OperatorClass(node)), scopes.scopes[index])
        }
        for value in report.outputs { pill(.output(value), value) }
        var edges: [GraphLayout.Edge] = []
        for (index, item) in items.enumerated() {
            let read: [Int]
            switch item.subject {
            case .node(let node): read = report.inputsAndCaptures(of: report.nodes[node])
            case .output(let value): read = [value]
            case .input, .capture: read = []
            }
            for value in read {
                guard let source = maker[value], source != index else { continue }
                edges.append(GraphLayout.Edge(from: source, to: index, value: value))
            }
        }
        self.items = items
        self.edges = edges
        layout = GraphLayout(sizes: items.map(Self.size), scopes: scopeOfItem, edges: edges)
    }

    // MARK: Boxes

    private static func size(_ item: Item) -> GraphLayout.Size {
        let text = max(Double(item.title.count) * titleSize * 0.66, Double(item.subtitle.count) * subtitleSize * 0.64)
        let width = min(220, max(84, (text + 26).rounded()))
        return GraphLayout.Size(width: width, height: item.kind == nil ? pillHeight : nodeHeight)
    }

    /// The operator, and what tells it from others of its kind.
    private static func title(_ node: GraphReport.Node) -> String {
        let name =
            node.domain.isEmpty || node.domain == "sardonyx" ? node.operatorName : "\(node.domain).\(node.operatorName)"
        func numbers(_ attribute: String) -> [Substring]? {
            node.attributes.first { $0.name == attribute }?.value.dropFirst().dropLast().split(separator: ", ")
        }
        var details: [String] = []
        if let kernel = numbers("kernel_shape"), !kernel.isEmpty { details.append(kernel.joined(separator: "×")) }
        if let strides = numbers("strides"), let first = strides.first, strides.contains(where: { $0 != "1" }) {
            details.append("/\(first)")
        }
        return ([name] + details).joined(separator: " ")
    }

    /// `float32[1, 64, 138, 138]` → `1×64×138×138`, other element types with their name.
    static func shape(_ type: String) -> String {
        guard let bracket = type.firstIndex(of: "["), type.hasSuffix("]") else { return type == "?" ? "" : type }
        let dims = type[bracket...].dropFirst().dropLast().replacingOccurrences(of: ", ", with: "×")
        let name = type[..<bracket]
        if dims.isEmpty { return "\(name) scalar" }
        return name == "float32" ? dims : "\(name) \(dims)"
    }
}

extension GraphReport {
    /// Values that a node or its bodies read, at any depth; each once.
    func inputsAndCaptures(of node: Node) -> [Int] {
        var found: [Int] = []
        for case let input? in node.inputs where !found.contains(input) { found.append(input) }
        guard !node.bodies.isEmpty else { return found }
        var names: Set<[UInt8]> = []
        var pending = node.bodies.map(\.graph)
        while let graph = pending.popLast() {
            for capture in graph.captures { names.insert(Array(graph.values[capture].name.utf8)) }
            pending += graph.nodes.flatMap { $0.bodies.map(\.graph) }
        }
        for (index, value) in values.enumerated() where names.contains(Array(value.name.utf8)) {
            if !found.contains(index) { found.append(index) }
        }
        return found
    }
}

extension OperatorClass {
    init(_ node: GraphReport.Node) {
        let isPlain = node.domain.isEmpty || node.domain == "sardonyx"
        self.init(
            kind: isPlain ? node.operatorName : "\(node.domain).\(node.operatorName)", algorithm: node.algorithm,
            isDepthwise: (node.attributes.first { $0.name == "group" }?.value ?? "1") != "1")
    }
}
