import Sardonyx

/// Gathers the boxes and arrows of a graph and, for pictures that nobody can enter, of the graphs inside its nodes.
///
/// Such a node gets a box with its graphs and itself in it: what it hands to a graph arrives at that graph's inputs,
/// what a graph makes leads to the node, and values that a graph captures come straight from their makers.
struct GraphCollector {
    private(set) var items: [GraphDrawing.Item] = []
    /// By item.
    private(set) var scopes: [[GraphScope]] = []
    private(set) var edges: [GraphLayout.Edge] = []
    /// Of the values that edges carry, by their numbers: those of the first graph keep its own.
    private(set) var names: [String] = []

    private let isNested: Bool
    /// The graph that is gathered and those around it.
    private var levels: [Level] = []
    private var bodyCount = 0

    private struct Level {
        let graph: GraphReport
        /// Of its values in `names`.
        let firstName: Int
        let captures: Set<Int>
        /// By value: the item that makes it.
        var makers: [Int?]
        /// Filled when a graph inside captures one; names are told apart by their bytes.
        var valueOfName: [[UInt8]: Int] = [:]
    }

    /// A value on its way to an item.
    private struct Source {
        let item: Int
        let value: Int
    }

    /// - Parameter isNested: gathers the graphs inside nodes too.
    init(_ graph: GraphReport, scopes: GraphScopes, isNested: Bool) {
        self.isNested = isNested
        enter(graph)
        for value in graph.inputs { pill(.input(value), value, []) }
        for value in graph.captures { pill(.capture(value), value, []) }
        addNodes(scopes, within: [], owner: [])
        for value in graph.outputs { result(value, []) }
    }

    // MARK: Graphs

    private mutating func enter(_ graph: GraphReport) {
        levels.append(
            Level(
                graph: graph, firstName: names.count, captures: Set(graph.captures),
                makers: [Int?](repeating: nil, count: graph.values.count)))
        names += graph.values.map(\.name)
    }

    /// - Parameters:
    ///   - within: the boxes around the graph.
    ///   - owner: the scope of the node that holds it, which names inside repeat.
    private mutating func addNodes(_ scopes: GraphScopes, within: [GraphScope], owner: [String]) {
        let graph = levels[levels.count - 1].graph
        let shapes = ShapeArithmetic(graph, scopes)
        for (index, node) in graph.nodes.enumerated() {
            let own = scopes.scopes[index]
            var scope =
                within + (own.starts(with: owner) ? own.dropFirst(owner.count) : own[...]).map { GraphScope($0) }
            if let number = shapes.groupOfNode[index] { scope.append(GraphScope("shapes", .shapes(number))) }
            if isNested, !node.bodies.isEmpty {
                addNodeWithBodies(index, node, scope, own)
            } else {
                let read = isNested ? Self.inputs(of: node) : graph.inputsAndCaptures(of: node)
                add(index, node, scope, reading: read.compactMap { source($0) })
            }
        }
    }

    private mutating func add(_ index: Int, _ node: GraphReport.Node, _ scope: [GraphScope], reading sources: [Source])
    {
        let graph = levels[levels.count - 1].graph
        let item = add(GraphDrawing.Item(node, .node(index), graph), scope)
        for source in sources { connect(source, item) }
        for case let output? in node.outputs { levels[levels.count - 1].makers[output] = item }
    }

    private mutating func addNodeWithBodies(
        _ index: Int, _ node: GraphReport.Node, _ scope: [GraphScope], _ own: [String]
    ) {
        let inner = scope + [body(titled: Self.title(of: node))]
        var results: [Source] = []
        var handed: Set<Int> = []
        for body in node.bodies {
            // What a Loop or Scan hands to its graph are its own inputs, from the last on.
            let shift = node.inputs.count - body.graph.inputs.count
            var feeds: [Int: Source] = [:]
            for (place, input) in body.graph.inputs.enumerated() {
                let isTripCount = node.operatorName == "Loop" && place + shift == 0
                guard !isTripCount, node.inputs.indices.contains(place + shift), let value = node.inputs[place + shift]
                else { continue }
                feeds[input] = source(value)
                handed.insert(value)
            }
            results += addBody(body, within: inner + [self.body(titled: body.attribute)], owner: own, feeds)
        }
        let direct = Self.inputs(of: node).filter { !handed.contains($0) }.compactMap { source($0) }
        add(index, node, inner, reading: direct + results)
    }

    /// - Returns: what the graph makes.
    private mutating func addBody(
        _ body: GraphReport.Body, within: [GraphScope], owner: [String], _ feeds: [Int: Source]
    ) -> [Source] {
        enter(body.graph)
        for value in body.graph.inputs {
            let item = pill(.input(value), value, within)
            if let feed = feeds[value] { connect(feed, item) }
        }
        addNodes(GraphScopes(body.graph), within: within, owner: owner)
        // A line from a maker to such a result and one from the result to the node are two.
        let results = body.graph.outputs.map { value in
            names.append(body.graph.values[value].name)
            return Source(item: result(value, within), value: names.count - 1)
        }
        levels.removeLast()
        return results
    }

    private mutating func body(titled title: String) -> GraphScope {
        bodyCount += 1
        return GraphScope(title, .body(bodyCount))
    }

    /// The last part of a node's name, which mostly repeats its operator.
    private static func title(of node: GraphReport.Node) -> String {
        guard let name = node.name.split(separator: "/").last else { return node.operatorName }
        return name.hasPrefix(node.operatorName) ? String(name) : "\(node.operatorName) \(name)"
    }

    // MARK: Items

    @discardableResult
    private mutating func add(_ item: GraphDrawing.Item, _ scope: [GraphScope]) -> Int {
        items.append(item)
        scopes.append(scope)
        return items.count - 1
    }

    /// The box of a value that comes from elsewhere.
    @discardableResult
    private mutating func pill(_ subject: GraphDrawing.Subject, _ value: Int, _ scope: [GraphScope]) -> Int {
        let level = levels.count - 1
        if let known = levels[level].makers[value] { return known }
        let item = add(GraphDrawing.Item(levels[level].graph.values[value], subject), scope)
        levels[level].makers[value] = item
        return item
    }

    /// The box of a value that is a result.
    @discardableResult
    private mutating func result(_ value: Int, _ scope: [GraphScope]) -> Int {
        let item = add(GraphDrawing.Item(levels[levels.count - 1].graph.values[value], .output(value)), scope)
        if let source = source(value) { connect(source, item) }
        return item
    }

    private mutating func connect(_ source: Source, _ item: Int) {
        guard source.item != item else { return }
        edges.append(GraphLayout.Edge(from: source.item, to: item, value: source.value))
    }

    /// Where a value of the innermost graph comes from; `nil` for constants.
    private mutating func source(_ value: Int) -> Source? {
        let innermost = levels.count - 1
        if let item = levels[innermost].makers[value] {
            return Source(item: item, value: levels[innermost].firstName + value)
        }
        guard innermost > 0, levels[innermost].captures.contains(value) else { return nil }
        let name = Array(levels[innermost].graph.values[value].name.utf8)
        for level in levels.indices.dropLast().reversed() {
            if levels[level].valueOfName.isEmpty {
                for (index, value) in levels[level].graph.values.enumerated() {
                    levels[level].valueOfName[Array(value.name.utf8)] = index
                }
            }
            guard let outer = levels[level].valueOfName[name], let item = levels[level].makers[outer] else { continue }
            return Source(item: item, value: levels[level].firstName + outer)
        }
        return nil
    }

    private static func inputs(of node: GraphReport.Node) -> [Int] {
        var found: [Int] = []
        for case let input? in node.inputs where !found.contains(input) { found.append(input) }
        return found
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
