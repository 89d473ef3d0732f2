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
        /// The whole name.
        let tip: String
        /// `nil` for inputs and outputs.
        let kind: OperatorClass?
        /// The page marks nodes with graphs inside, and those that call a function.
        var canBeEntered = false
    }

    let report: GraphReport
    let items: [Item]
    /// Between items; `value` is a place in `names`.
    let edges: [GraphLayout.Edge]
    /// Of values: first those of the report, by its numbers.
    let names: [String]
    let layout: GraphLayout

    static let nodeHeight = 42.0
    static let pillHeight = 38.0
    static let titleSize = 12.5
    static let subtitleSize = 10.5

    /// - Parameter isNested: draws the graphs inside nodes too.
    init(_ report: GraphReport, scopes: GraphScopes, isNested: Bool = false) {
        self.report = report
        let collected = GraphCollector(report, scopes: scopes, isNested: isNested)
        items = collected.items
        edges = collected.edges
        names = collected.names
        layout = GraphLayout(sizes: items.map(Self.size), scopes: collected.scopes, edges: edges)
    }

    // MARK: Boxes

    private static func size(_ item: Item) -> GraphLayout.Size {
        let text = max(Double(item.title.count) * titleSize * 0.66, Double(item.subtitle.count) * subtitleSize * 0.64)
        let width = min(220, max(84, (text + (item.canBeEntered ? 44 : 26)).rounded()))
        return GraphLayout.Size(width: width, height: item.kind == nil ? pillHeight : nodeHeight)
    }

    /// The operator, and what tells it from others of its kind.
    static func title(_ node: GraphReport.Node) -> String {
        let name = node.isOfOwnDomain ? "\(node.domain).\(node.operatorName)" : node.operatorName
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

extension GraphDrawing.Item {
    init(_ node: GraphReport.Node, _ subject: GraphDrawing.Subject, _ graph: GraphReport) {
        self.init(
            subject: subject, title: GraphDrawing.title(node),
            subtitle: node.outputs.first.flatMap { $0 }.map { GraphDrawing.shape(graph.values[$0].type) } ?? "",
            tip: node.name, kind: OperatorClass(node), canBeEntered: !node.bodies.isEmpty || node.isOfOwnDomain)
    }

    init(_ value: GraphReport.Value, _ subject: GraphDrawing.Subject) {
        self.init(
            subject: subject, title: value.name, subtitle: GraphDrawing.shape(value.type), tip: value.name, kind: nil)
    }
}

extension GraphReport.Node {
    /// Whether it is neither an operator of ONNX nor one that passes make.
    fileprivate var isOfOwnDomain: Bool { !domain.isEmpty && domain != "sardonyx" }
}

extension OperatorClass {
    init(_ node: GraphReport.Node) {
        self.init(
            kind: node.isOfOwnDomain ? "\(node.domain).\(node.operatorName)" : node.operatorName,
            algorithm: node.algorithm,
            isDepthwise: (node.attributes.first { $0.name == "group" }?.value ?? "1") != "1")
    }
}
