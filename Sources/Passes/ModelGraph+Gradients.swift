import GraphIR
import TensorCore

extension ModelGraph {
    /// The model with each Gradient node (ai.onnx.preview.training 1) replaced by nodes that compute the derivatives,
    /// by accumulation from `y` back to `xs`.
    /// - Throws: `graph` for names that are not values, `unsupported` for operators without a derivative here.
    package func expandingGradients() throws(SardonyxError) -> ModelGraph {
        var model = self
        while model.graph.nodes.contains(where: GradientExpansion.isGradient) {
            // The inner one of derivatives of derivatives first.
            var expansion: GradientExpansion?
            for node in model.graph.nodes where GradientExpansion.isGradient(node) {
                let candidate = try GradientExpansion(node, in: model.graph)
                if !candidate.readsGradients {
                    expansion = candidate
                    break
                }
            }
            guard let expansion else {
                throw SardonyxError(.graph, "Gradient nodes", "differentiate each other")
            }
            model.graph = try expansion.expanded()
        }
        return model
    }
}

/// One Gradient node on its way to being expanded.
private struct GradientExpansion {
    private let gradient: Node
    private var graph: Graph
    private var taken: Set<Name>
    private let variables: [ValueID]
    private let result: ValueID
    /// Nodes that make `result` of the variables and of `zs`, in order.
    private let forward: [Node]
    /// What each value of `forward` is at the point of the derivative.
    private var substitutes: [ValueID: ValueID] = [:]
    private var made: [Node] = []
    private var adjoints: [ValueID: ValueID] = [:]

    static func isGradient(_ node: Node) -> Bool { node.domain == Domains.training && node.opType == "Gradient" }

    init(_ node: Node, in graph: Graph) throws(SardonyxError) {
        gradient = node
        self.graph = graph
        taken = Set(graph.values.map(\.name))
        var ids: [Name: ValueID] = [:]
        for (index, value) in graph.values.enumerated() { ids[value.name] = ValueID(index) }
        func value(_ name: [UInt8]) throws(SardonyxError) -> ValueID {
            guard let id = ids[Name(bytes: name)] else {
                throw SardonyxError(.graph, node.label, "no value of this graph", got: "'\(Name(bytes: name))'")
            }
            return id
        }
        func list(_ name: String) throws(SardonyxError) -> [ValueID] {
            guard case .strings(let names)? = node.attributes[name] else { return [] }
            var values: [ValueID] = []
            for name in names { values.append(try value(name)) }
            return values
        }
        guard case .string(let name)? = node.attributes["y"] else {
            throw SardonyxError(.graph, node.label, "attribute y is missing")
        }
        result = try value(name)
        variables = try list("xs")
        let given = variables + (try list("zs"))
        guard !variables.isEmpty, node.inputs.count == given.count, node.outputs.count <= variables.count else {
            throw SardonyxError(
                .graph, node.label, "inputs and outputs", got: "\(node.inputs.count) and \(node.outputs.count)",
                allowed: "one for each name of xs and zs, and at most one for each of xs")
        }
        for (id, input) in zip(given, node.inputs) { substitutes[id] = input ?? id }
        let producers = graph.producers()
        var needed = Set<Int>()
        var open = [result]
        while let id = open.popLast() {
            guard substitutes[id] == nil, let producer = producers[id.index], needed.insert(producer).inserted else {
                continue
            }
            open += graph.nodes[producer].inputs.compactMap { $0 }
        }
        forward = needed.sorted().map { graph.nodes[$0] }
    }

    var readsGradients: Bool { forward.contains(where: GradientExpansion.isGradient) }

    func expanded() throws(SardonyxError) -> Graph {
        var work = self
        try work.evaluate()
        try work.accumulate()
        work.graph.nodes.removeAll {
            GradientExpansion.isGradient($0) && $0.name == gradient.name && $0.outputs == gradient.outputs
        }
        work.graph.nodes += work.made
        try work.graph.sortTopologically()
        return work.graph
    }

    private func now(_ id: ValueID) -> ValueID { substitutes[id] ?? id }

    /// Computes the values between the variables and the result again where the derivative is asked for elsewhere.
    private mutating func evaluate() throws(SardonyxError) {
        guard substitutes.contains(where: { $0.key != $0.value }) else { return }
        for node in forward where node.inputs.contains(where: { $0.map { substitutes[$0] != nil } ?? false }) {
            guard node.subgraphs.isEmpty else { throw unsupported(node) }
            var copy = node
            copy.inputs = node.inputs.map { $0.map(now) }
            copy.outputs = node.outputs.map { output in
                output.map { id in
                    let other = newValue()
                    substitutes[id] = other
                    return other
                }
            }
            made.append(copy)
        }
    }

    private mutating func newValue() -> ValueID {
        let name = Name(bytes: gradient.name.bytes + Array("·gradient".utf8)).unused(in: &taken)
        return graph.addValue(Value(name: name))
    }

    private mutating func make(_ type: String, _ inputs: [ValueID], domain: String = Domains.onnx) -> ValueID {
        let output = newValue()
        made.append(Node(name: gradient.name, domain: domain, opType: type, inputs: inputs, outputs: [output]))
        return output
    }

    private mutating func accumulate() throws(SardonyxError) {
        adjoints[result] = make("OnesLike", [now(result)], domain: Domains.internal)
        var active = Set(variables)
        for node in forward where node.inputs.contains(where: { $0.map(active.contains) ?? false }) {
            active.formUnion(node.outputs.compactMap { $0 })
        }
        for node in forward.reversed() {
            guard let output = node.outputs.first ?? nil, let adjoint = adjoints[output], active.contains(output) else {
                continue
            }
            for (position, input) in node.inputs.enumerated() {
                guard let input, active.contains(input) else { continue }
                guard let part = try derivative(of: node, at: position, adjoint) else { continue }
                let sum = make("SumLike", [part, now(input)], domain: Domains.internal)
                adjoints[input] = adjoints[input].map { make("Add", [$0, sum]) } ?? sum
            }
        }
        for (variable, output) in zip(variables, gradient.outputs) {
            guard let output else { continue }
            let source = adjoints[variable] ?? make("ZerosLike", [now(variable)], domain: Domains.internal)
            made.append(Node(name: gradient.name, opType: "Identity", inputs: [source], outputs: [output]))
        }
    }

    /// The adjoint of one input of a node, before sums over broadcast axes; `nil` where the output does not depend on
    /// it.
    private mutating func derivative(
        of node: Node, at position: Int, _ adjoint: ValueID
    ) throws(SardonyxError) -> ValueID? {
        let inputs = node.inputs.compactMap { $0.map(now) }
        guard node.domain.isEmpty || node.domain == Domains.internal, let x = inputs.first,
            let output = (node.outputs.first ?? nil).map(now),
            inputs.count == node.inputs.count
        else { throw unsupported(node) }
        let other = inputs.count == 2 ? inputs[1 - position] : x
        switch node.opType {
        case "Add", "Sum", "Identity": return adjoint
        case "Sub": return position == 0 ? adjoint : make("Neg", [adjoint])
        case "Mul": return make("Mul", [adjoint, other])
        case "Div":
            if position == 0 { return make("Div", [adjoint, other]) }
            return make("Neg", [make("Div", [make("Mul", [adjoint, output]), inputs[1]])])
        case "Neg": return make("Neg", [adjoint])
        case "Exp": return make("Mul", [adjoint, output])
        case "Log": return make("Div", [adjoint, x])
        case "Sqrt": return make("Div", [adjoint, make("Add", [output, output])])
        case "Reciprocal": return make("Neg", [make("Mul", [adjoint, make("Mul", [output, output])])])
        case "Sin": return make("Mul", [adjoint, make("Cos", [x])])
        case "Cos": return make("Neg", [make("Mul", [adjoint, make("Sin", [x])])])
        case "Tanh":
            return make("Sub", [adjoint, make("Mul", [adjoint, make("Mul", [output, output])])])
        case "Sigmoid":
            return make("Mul", [adjoint, make("Sub", [output, make("Mul", [output, output])])])
        case "Sign", "OnesLike", "ZerosLike": return nil
        case "SumLike":
            return position == 0 ? make("Mul", [adjoint, make("OnesLike", [x], domain: Domains.internal)]) : nil
        case "Transpose" where node.attributes.isEmpty: return make("Transpose", [adjoint])
        case "Relu": return make("Mul", [adjoint, make("Sign", [output])])
        case "MatMul":
            guard node.inputs.allSatisfy({ $0.flatMap { graph[$0].type?.shape?.rank } == 2 }) else {
                throw unsupported(node)
            }
            let transposed = make("Transpose", [other])
            return position == 0 ? make("MatMul", [adjoint, transposed]) : make("MatMul", [transposed, adjoint])
        default: throw unsupported(node)
        }
    }

    private func unsupported(_ node: Node) -> SardonyxError {
        SardonyxError(
            .unsupported, gradient.label, "derivative of \(node.label)",
            allowed:
                "Add, Sub, Mul, Div, Neg, Sum, Identity, Exp, Log, Sqrt, Reciprocal, Sin, Cos, Tanh, Sigmoid, Relu, "
                + "Sign, Transpose without perm, MatMul of matrices")
    }
}
