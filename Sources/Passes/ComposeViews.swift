import GraphIR
import TensorCore

/// Makes one node of two Transposes that follow each other, and of two nodes that only change the shape, where nothing
/// else reads what lies between them.
package enum ComposeViews: GraphPass {
    package static let name = "compose-views"
    package static let summary = "make one node of Transposes or Reshapes that follow each other"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var composition = ViewComposition(graph, opset: context.opsets[Domains.onnx] ?? 1)
        for index in graph.nodes.indices { try composition.visit(index) }
        try composition.patch.apply(to: &graph)
    }
}

private struct ViewComposition {
    /// What two nodes are together, read from the input of the first.
    private enum Composed {
        case identity
        /// The second one, as it is.
        case second
        case transpose([Int])
        /// The second one, with other axes.
        case axes([Int])
        case reshape([Int])

        var isIdentity: Bool { if case .identity = self { true } else { false } }
    }

    private let graph: Graph
    private let opset: Int
    private let pattern: FusionPattern
    /// As composed so far.
    private var nodes: [Node]
    /// Whether all that reads a value would read past it.
    private var bypassed: [ValueID: Bool] = [:]
    private(set) var patch: GraphPatch

    init(_ graph: Graph, opset: Int) {
        self.graph = graph
        self.opset = opset
        self.pattern = FusionPattern(graph)
        self.nodes = graph.nodes
        self.patch = GraphPatch(graph)
    }

    mutating func visit(_ index: Int) throws(SardonyxError) {
        let node = nodes[index]
        guard node.movesElementsOnly, let between = node.inputs[0], let maker = pattern.producer(of: between),
            let composed = try composed(nodes[maker], node)
        else { return }
        if !composed.isIdentity {
            guard try isBypassed(between, maker) else { return }
        }
        let first = nodes[maker]
        nodes[index].inputs[0] = first.inputs[0]
        nodes[index].origins = first.origins + node.origins.filter { !first.origins.contains($0) }
        switch composed {
        case .identity:
            nodes[index] = Node(
                name: node.name, opType: "Identity", inputs: [first.inputs[0]], outputs: node.outputs,
                origins: node.origins)
        case .second: break
        case .transpose(let permutation): nodes[index].attributes["perm"] = .ints(permutation)
        case .axes(let axes):
            if opset < 13 {
                nodes[index].attributes["axes"] = .ints(axes)
            } else {
                try setParameter(index, axes, "axes")
            }
        case .reshape(let target):
            nodes[index].opType = "Reshape"
            nodes[index].attributes = [:]
            try setParameter(index, target, "shape")
        }
        patch.change(index) { [nodes] in $0 = nodes[index] }
    }

    /// Input 1 of a node, which an earlier composition may have made.
    private func parameter(of node: Node) throws(SardonyxError) -> [Int]? {
        guard node.inputs.count > 1, let id = node.inputs[1] else { return nil }
        return try patch[id].constant?.tensor().integers()
    }

    private mutating func setParameter(_ index: Int, _ values: [Int], _ role: String) throws(SardonyxError) {
        let tensor = try Tensor(values.map { Int64($0) }, dims: [values.count])
        let id = patch.addConstant(Name(nodes[index].name.string + "·" + role), Constant(tensor))
        nodes[index].inputs = [nodes[index].inputs[0], id]
    }

    private mutating func isBypassed(_ between: ValueID, _ maker: Int) throws(SardonyxError) -> Bool {
        if let known = bypassed[between] { return known }
        var result = !graph.outputs.contains(between)
        for reader in pattern.readers(of: between) where result {
            let isSource = nodes[reader].inputs.first == between
            result = try isSource ? composed(nodes[maker], nodes[reader]) != nil : false
        }
        bypassed[between] = result
        return result
    }

    private func composed(_ first: Node, _ second: Node) throws(SardonyxError) -> Composed? {
        guard first.movesElementsOnly, second.movesElementsOnly, let x = first.inputs[0],
            let between = first.outputs.first ?? nil, let result = second.outputs.first ?? nil
        else { return nil }
        let isTranspose = first.opType == "Transpose"
        guard isTranspose == (second.opType == "Transpose") else { return nil }
        if isTranspose { return transposed(first, second, rank: graph[x].type?.shape?.rank) }
        if let dims = pattern.dims(of: x), dims == pattern.dims(of: result) { return .identity }
        if let composed = try ofAxes(first, second) { return composed }
        guard opset >= 5 else { return nil }
        if second.opType == "Reshape" { return try reshaped(first, second, between) }
        return ofShape(result)
    }

    private func transposed(_ first: Node, _ second: Node, rank: Int?) -> Composed? {
        func permutation(_ node: Node) -> [Int]? {
            if case .ints(let given)? = node.attributes["perm"] { return given }
            return rank.map { (0..<$0).reversed() }
        }
        guard let inner = permutation(first), let outer = permutation(second), inner.count == outer.count,
            outer.allSatisfy(inner.indices.contains)
        else { return nil }
        let composed = outer.map { inner[$0] }
        return composed == Array(composed.indices) ? .identity : .transpose(composed)
    }

    // MARK: Squeeze and Unsqueeze

    /// The axes that a node names, from the front: of its input for Squeeze, of its output for Unsqueeze.
    private func axes(_ node: Node) throws(SardonyxError) -> [Int]? {
        guard node.opType == "Squeeze" || node.opType == "Unsqueeze" else { return nil }
        var given = try opset < 13 ? nil : parameter(of: node)
        if opset < 13, case .ints(let axes)? = node.attributes["axes"] { given = axes }
        guard let given else { return nil }
        if given.allSatisfy({ $0 >= 0 }) { return given.sorted() }
        guard let value = node.opType == "Squeeze" ? node.inputs[0] : node.outputs[0],
            let rank = graph[value].type?.shape?.rank
        else { return nil }
        return given.map { $0 < 0 ? $0 + rank : $0 }.sorted()
    }

    private func ofAxes(_ first: Node, _ second: Node) throws(SardonyxError) -> Composed? {
        guard let inner = try axes(first), let outer = try axes(second) else { return nil }
        guard first.opType == second.opType else { return inner == outer ? .identity : nil }
        // Of the value with more axes: those that are not named by the node next to it.
        let isSqueeze = first.opType == "Squeeze"
        guard let end = isSqueeze ? first.inputs[0] : second.outputs[0], let rank = graph[end].type?.shape?.rank
        else { return nil }
        let (near, far) = isSqueeze ? (inner, outer) : (outer, inner)
        let rest = (0..<rank).filter { !near.contains($0) }
        guard far.allSatisfy(rest.indices.contains) else { return nil }
        return .axes((near + far.map { rest[$0] }).sorted())
    }

    // MARK: Reshape

    /// A Reshape behind another node, its zeros those of the node's input.
    private func reshaped(_ first: Node, _ second: Node, _ between: ValueID) throws(SardonyxError) -> Composed? {
        guard let given = try parameter(of: second) else { return nil }
        if case .int(let allowsZero)? = second.attributes["allowzero"], allowsZero != 0 { return .second }
        var target = given
        let kept = try axesInPlace(first)
        for axis in target.indices where target[axis] == 0 && axis >= kept {
            guard let dims = graph[between].type?.shape?.dims, dims.indices.contains(axis),
                let extent = dims[axis].value, extent > 0
            else { return nil }
            target[axis] = extent
        }
        return target == given ? .second : .reshape(target)
    }

    /// How many axes from the front a node leaves as and where they are, for every input.
    private func axesInPlace(_ node: Node) throws(SardonyxError) -> Int {
        switch node.opType {
        case "Squeeze", "Unsqueeze": return try axes(node)?.first ?? 0
        case "Flatten":
            if case .int(let axis)? = node.attributes["axis"], axis != 1 { return 0 }
            return 1
        default:
            if case .int(let allowsZero)? = node.attributes["allowzero"], allowsZero != 0 { return 0 }
            return try parameter(of: node)?.prefix { $0 == 0 }.count ?? 0
        }
    }

    /// A Reshape to the shape of a value, where that says it.
    private func ofShape(_ value: ValueID) -> Composed? {
        guard let dims = graph[value].type?.shape?.dims, dims.count(where: { $0.value == nil }) <= 1,
            dims.allSatisfy({ $0 != .known(0) })
        else { return nil }
        return .reshape(dims.map { $0.value ?? -1 })
    }
}
