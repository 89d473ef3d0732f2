import Sardonyx

/// A box that an item lies in.
struct GraphScope: Hashable {
    enum Kind: Hashable {
        /// A scope of the source program.
        case module
        /// A graph inside a node, or the box around such a node; numbered.
        case body(Int)
        /// Arithmetic on shapes; numbered.
        case shapes(Int)

        var isBody: Bool { if case .body = self { true } else { false } }
        var isShapes: Bool { if case .shapes = self { true } else { false } }
    }

    let title: String
    let kind: Kind

    init(_ title: String, _ kind: Kind = .module) {
        self.title = title
        self.kind = kind
    }

    /// The number of a graph inside a node or of the box around one.
    var body: Int? { if case .body(let number) = kind { number } else { nil } }
}

/// Where the nodes of a graph belong in the source program, as the names in the model tell.
///
/// Some exporters write the modules around a node into its metadata, others scopes into names of nodes,
/// `/backbone/layer1/conv1/Conv`. Where there is neither, names of weights say it, `backbone.layer1.conv1.weight`. Nodes
/// without any of these lie where their neighbours do.
struct GraphScopes {
    /// By node, outermost first.
    let scopes: [[String]]

    /// Deeper scopes are cut.
    private static let deepest = 12

    init(_ graph: GraphReport) {
        if graph.nodes.contains(where: { $0.modules?.isEmpty == false }) {
            scopes = Self.spread(graph.nodes.map { $0.modules.map { Array($0.prefix(Self.deepest)) } }, graph)
            return
        }
        let named = graph.nodes.map { Self.components($0.name, separator: "/") }
        if named.contains(where: { !$0.isEmpty }) {
            scopes = named
        } else {
            scopes = Self.spread(graph.nodes.map { Self.scopeOfWeights($0, graph) }, graph)
        }
    }

    /// Nodes of a plan lie where the nodes that they compute lie, those that compute none where their neighbours do.
    init(plan: GraphReport, source: GraphScopes) {
        scopes = Self.spread(
            plan.nodes.map { node in
                guard let first = node.origins.first else { return nil }
                return node.origins.dropFirst().reduce(source.scopes[first]) { Self.common($0, source.scopes[$1]) }
            }, plan)
    }

    /// All parts of a name but its last; parts that are numbers stay with the one before.
    private static func components(_ name: String, separator: Character) -> [String] {
        var parts: [String] = []
        for part in name.split(separator: separator).dropLast() {
            if separator == ".", !parts.isEmpty, part.allSatisfy(\.isNumber) {
                parts[parts.count - 1] += ".\(part)"
            } else {
                parts.append(String(part))
            }
        }
        return Array(parts.prefix(deepest))
    }

    private static func scopeOfWeights(_ node: GraphReport.Node, _ graph: GraphReport) -> [String]? {
        for case let input? in node.inputs where graph.values[input].isConstant {
            let name = graph.values[input].name
            // onnx::Conv_460 and the like say nothing.
            guard !name.contains(":"), !name.contains("/") else { continue }
            let parts = components(name, separator: ".")
            if !parts.isEmpty { return parts }
        }
        return nil
    }

    /// Fills in what is not known: the common scope of what comes before and after.
    private static func spread(_ known: [[String]?], _ graph: GraphReport) -> [[String]] {
        guard known.contains(where: { $0 != nil }) else { return known.map { _ in [] } }
        var before = known
        var after = known
        var scopeOfValue = [[String]?](repeating: nil, count: graph.values.count)
        for (index, node) in graph.nodes.enumerated() {
            if before[index] == nil {
                let scopes = node.inputs.compactMap { $0.flatMap { scopeOfValue[$0] } }
                before[index] = scopes.first.map { first in scopes.dropFirst().reduce(first, common) }
            }
            for case let output? in node.outputs { scopeOfValue[output] = before[index] }
        }
        scopeOfValue = [[String]?](repeating: nil, count: graph.values.count)
        for (index, node) in graph.nodes.enumerated().reversed() {
            if after[index] == nil {
                let scopes = node.outputs.compactMap { $0.flatMap { scopeOfValue[$0] } }
                after[index] = scopes.first.map { first in scopes.dropFirst().reduce(first, common) }
            }
            for case let input? in node.inputs {
                guard let scope = after[index] else { continue }
                scopeOfValue[input] = scopeOfValue[input].map { common($0, scope) } ?? scope
            }
        }
        return known.indices.map { index in
            if let scope = known[index] { return scope }
            guard let before = before[index], let after = after[index] else {
                return before[index] ?? after[index] ?? []
            }
            return common(before, after)
        }
    }

    private static func common(_ a: [String], _ b: [String]) -> [String] {
        Array(zip(a, b).prefix { $0 == $1 }.map(\.0))
    }
}
