import TensorCore

/// What a node calls, and what a function is found by.
package struct FunctionKey: Hashable, Sendable, CustomStringConvertible {
    package var domain: String
    package var name: String
    package var overload: String

    package init(_ function: Function) {
        self.domain = function.domain
        self.name = function.name
        self.overload = function.overload
    }

    package init(_ node: Node) {
        self.domain = node.domain
        self.name = node.opType
        self.overload = node.overload
    }

    package var description: String {
        Domains.qualified(name, in: domain) + (overload.isEmpty ? "" : ":" + overload)
    }
}

extension ModelGraph {
    /// The most nodes that a model may have once its functions are inlined.
    package static let maximumNodes = 250_000
    /// The deepest that subgraphs may nest.
    package static let maximumSubgraphDepth = 32

    /// Functions, each after those it calls.
    /// - Throws: `graph` with the call path if a function calls itself, directly or not.
    package func functionsInCallOrder() throws(SardonyxError) -> [Function] {
        var indices: [FunctionKey: Int] = [:]
        for (index, function) in functions.enumerated() { indices[FunctionKey(function)] = index }
        let callees = functions.map { function in Set(function.body.calledKeys().compactMap { indices[$0] }).sorted() }
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: functions.count)
        var order: [Function] = []
        for root in functions.indices where marks[root] == .new {
            var path = [(function: root, pending: callees[root])]
            marks[root] = .open
            while let (function, _) = path.last {
                guard let next = path[path.count - 1].pending.popLast() else {
                    marks[function] = .done
                    order.append(functions[function])
                    path.removeLast()
                    continue
                }
                if marks[next] == .open {
                    let calls = (path.map(\.function).drop { $0 != next } + [next]).map {
                        "\(FunctionKey(functions[$0]))"
                    }
                    throw SardonyxError(
                        .graph, "function '\(FunctionKey(functions[next]))'", "calls itself",
                        got: (calls.count > 9 ? calls.prefix(8) + ["…"] : calls).joined(separator: " → "))
                }
                guard marks[next] == .new else { continue }
                marks[next] = .open
                path.append((next, callees[next]))
            }
        }
        return order
    }

    /// Replaces every call of a model-local function by its body, in subgraphs too; the functions themselves stay
    /// listed.
    /// - Throws: `graph` for recursion or a call that does not fit, `unsupported` for a function written in another
    ///   operator set version than the model, `limit` when the result would be too large or too deep.
    package mutating func inlineFunctions() throws(SardonyxError) {
        guard !functions.isEmpty else { return }
        var flat: [FunctionKey: Function] = [:]
        for var function in try functionsInCallOrder() {
            try function.body.inlineCalls(flat, opsets: function.opsets)
            flat[FunctionKey(function)] = function
        }
        try graph.inlineCalls(flat, opsets: opsets)
    }
}

extension Graph {
    /// What the nodes here and in subgraphs may call.
    fileprivate func calledKeys() -> Set<FunctionKey> {
        var keys: Set<FunctionKey> = []
        for node in nodes {
            keys.insert(FunctionKey(node))
            for subgraph in node.subgraphs { keys.formUnion(subgraph.calledKeys()) }
        }
        return keys
    }

    /// Nodes here and in subgraphs, and how deep subgraphs nest.
    fileprivate func extent() -> (nodes: Int, depth: Int) {
        var total = nodes.count
        var depth = 0
        for node in nodes {
            for subgraph in node.subgraphs {
                let inner = subgraph.extent()
                total += inner.nodes
                depth = max(depth, inner.depth + 1)
            }
        }
        return (total, depth)
    }

    /// Inlines calls of functions whose own bodies hold no calls.
    fileprivate mutating func inlineCalls(_ functions: [FunctionKey: Function], opsets: [String: Int])
        throws(SardonyxError)
    {
        let extents = functions.mapValues { $0.body.extent() }
        var budget = InliningBudget(remaining: ModelGraph.maximumNodes)
        try inlineCalls(functions, extents: extents, opsets: opsets, depth: 0, budget: &budget)
    }

    private mutating func inlineCalls(
        _ functions: [FunctionKey: Function], extents: [FunctionKey: (nodes: Int, depth: Int)], opsets: [String: Int],
        depth: Int, budget: inout InliningBudget
    ) throws(SardonyxError) {
        let calls = nodes.contains { functions[FunctionKey($0)] != nil }
        var taken = calls ? Set(values.map(\.name)) : []
        var result: [Node] = []
        for var node in nodes {
            try node.mapSubgraphs { (subgraph) throws(SardonyxError) in
                try subgraph.inlineCalls(functions, extents: extents, opsets: opsets, depth: depth + 1, budget: &budget)
            }
            guard let function = functions[FunctionKey(node)], let extent = extents[FunctionKey(node)] else {
                result.append(node)
                continue
            }
            try budget.spend(extent, at: depth, for: node)
            try function.checkOpsets(against: opsets, calledBy: node)
            result += try inlined(function, calledBy: node, taken: &taken)
        }
        nodes = result
    }

    /// The body of a function as nodes of this graph.
    private mutating func inlined(
        _ function: Function, calledBy call: Node, taken: inout Set<Name>
    ) throws(SardonyxError) -> [Node] {
        let body = function.body
        guard call.inputs.count <= body.inputs.count, call.outputs.count <= body.outputs.count else {
            throw SardonyxError(
                .graph, call.label, "call does not fit the function",
                got: "\(call.inputs.count) inputs, \(call.outputs.count) outputs",
                allowed: "at most \(body.inputs.count) inputs, \(body.outputs.count) outputs")
        }
        // What each value of the body is here; a parameter that the call omits is nothing.
        var mapped = [ValueID?](repeating: nil, count: body.values.count)
        var isParameter = [Bool](repeating: false, count: body.values.count)
        for (index, parameter) in body.inputs.enumerated() {
            isParameter[parameter.index] = true
            if index < call.inputs.count { mapped[parameter.index] = call.inputs[index] }
        }
        var copies: [(from: ValueID, to: ValueID)] = []
        for (index, result) in body.outputs.enumerated() where index < call.outputs.count {
            guard let output = call.outputs[index] else { continue }
            if mapped[result.index] == nil, !isParameter[result.index], body[result].constant == nil {
                mapped[result.index] = output
            } else {
                copies.append((result, output))
            }
        }
        let arguments = function.attributeDefaults.merging(call.attributes) { _, given in given }
        let prefix = (call.name.isEmpty ? Array(call.opType.utf8) : call.name.bytes) + [UInt8(ascii: "/")]
        for index in body.values.indices where mapped[index] == nil && !isParameter[index] {
            var value = body.values[index]
            value.name = Name(bytes: prefix + value.name.bytes).unused(in: &taken)
            mapped[index] = addValue(value)
        }
        let bodyNames = body.capturableNames()
        var nodes: [Node] = []
        for node in body.nodes {
            var node = node
            node.name = Name(bytes: prefix + node.name.bytes)
            node.origins = call.origins
            node.inputs = node.inputs.map { $0.flatMap { mapped[$0.index] } }
            node.outputs = node.outputs.map { $0.flatMap { mapped[$0.index] } }
            try rename(capturesOf: &node, of: bodyNames, to: mapped, calledBy: call)
            node.resolveReferences(arguments)
            nodes.append(node)
        }
        for (from, to) in copies {
            guard let source = mapped[from.index] else {
                throw SardonyxError(
                    .graph, call.label, "function returns an input that the call omits", got: "'\(body[from].name)'")
            }
            nodes.append(Node(name: call.name, opType: "Identity", inputs: [source], outputs: [to]))
        }
        return nodes
    }

    /// Lets the subgraphs of a node from a function body capture what the body's values are here.
    private func rename(
        capturesOf node: inout Node, of bodyNames: [Name: ValueID], to mapped: [ValueID?], calledBy call: Node
    ) throws(SardonyxError) {
        var renamed: [Name: Name] = [:]
        for subgraph in node.subgraphs {
            for capture in subgraph.captures {
                let name = subgraph[capture].name
                guard let inner = bodyNames[name] else { continue }
                guard let outer = mapped[inner.index] else {
                    throw SardonyxError(
                        .graph, call.label, "a subgraph of the function reads an input that the call omits",
                        got: "'\(name)'")
                }
                renamed[name] = self[outer].name
            }
        }
        node.renameCaptures(renamed)
    }
}

extension Node {
    /// Puts the values of a function's attributes where they are referred to; an attribute without value is omitted.
    fileprivate mutating func resolveReferences(_ arguments: [String: Attribute]) {
        for (key, attribute) in attributes {
            if case .reference(let name) = attribute { attributes[key] = arguments[name] }
        }
        mapSubgraphs { subgraph in
            for index in subgraph.nodes.indices { subgraph.nodes[index].resolveReferences(arguments) }
        }
    }
}

extension Function {
    /// A body means what its own operator sets say; inlined, it must mean the same under the model's.
    fileprivate func checkOpsets(against opsets: [String: Int], calledBy call: Node) throws(SardonyxError) {
        for domain in Set(body.nodes.map(\.domain)).sorted() {
            guard let own = self.opsets[domain], let outer = opsets[domain], own != outer else { continue }
            throw SardonyxError(
                .unsupported, "function '\(FunctionKey(self))'",
                "written for another version of \(domain.isEmpty ? "ai.onnx" : domain) than its caller",
                got: "\(own)", allowed: "\(outer)")
        }
    }
}

/// Keeps calls of calls from growing without bound.
private struct InliningBudget {
    var remaining: Int

    mutating func spend(_ extent: (nodes: Int, depth: Int), at depth: Int, for call: Node) throws(SardonyxError) {
        remaining -= extent.nodes + 1
        guard remaining >= 0 else {
            throw SardonyxError(
                .limit, call.label, "nodes after inlining functions", allowed: "\(ModelGraph.maximumNodes)")
        }
        guard depth + extent.depth <= ModelGraph.maximumSubgraphDepth else {
            throw SardonyxError(
                .limit, call.label, "subgraph depth after inlining functions", got: "\(depth + extent.depth)",
                allowed: "\(ModelGraph.maximumSubgraphDepth)")
        }
    }
}
