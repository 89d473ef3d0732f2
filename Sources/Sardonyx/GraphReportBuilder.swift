import Execution
import GraphIR
import Operators
import Passes
import TensorCore

/// Turns graphs into reports; both graphs of a model share the weights.
struct GraphReportBuilder {
    let opsets: [String: Int]
    /// `nil` leaves out the statistics of weights, for which their contents are read.
    private(set) var weights: [WeightReport]?
    /// Why the first weight that could not be read could not, and how many others.
    private var unreadable: (first: String, more: Int)?
    private var weightOfConstant: [ObjectIdentifier: Int] = [:]
    /// Constants whose identity is a key must stay alive.
    private var constants: [Constant] = []

    init(opsets: [String: Int], readsWeights: Bool) {
        self.opsets = opsets
        self.weights = readsWeights ? [] : nil
    }

    /// What is wrong with the weights.
    var problems: [String] {
        guard let unreadable else { return [] }
        return [unreadable.first] + (unreadable.more > 0 ? ["\(unreadable.more) more weights cannot be read"] : [])
    }

    /// What a plan knows of a node beside the graph.
    struct Planned {
        var algorithm = ""
        var cost: Plan.Cost?
        var origins: [Int] = []
        var step: Int?
    }

    /// - Parameters:
    ///   - closed: the same graph with closed subgraphs, for what is inferred inside of them.
    ///   - planned: by node of the graph; empty for the graph of a file.
    mutating func report(_ graph: Graph, closed: Graph? = nil, planned: [Planned] = []) -> GraphReport {
        let made = Self.constantNodes(of: graph)
        let contents = graph.constantContents
        var read = Set(graph.outputs)
        for node in graph.nodes { for case let input? in node.inputs { read.insert(input) } }
        var values: [GraphReport.Value] = []
        for (index, value) in graph.values.enumerated() {
            let id = ValueID(index)
            let inferred = closed?.values[index].type
            let constant = contents[id]
            values.append(
                GraphReport.Value(
                    name: value.name.string, type: (value.type ?? inferred ?? constant?.type)?.description ?? "?",
                    layout: value.layout.description,
                    byteCount: Self.byteCount(value.type ?? inferred ?? constant?.type, value.layout),
                    isConstant: constant != nil,
                    weight: read.contains(id) ? constant.flatMap { weight($0, value.name) } : nil))
        }
        var nodes: [GraphReport.Node] = []
        for (index, node) in graph.nodes.enumerated() where made[index] == nil {
            let plan = planned.indices.contains(index) ? planned[index] : Planned()
            nodes.append(
                GraphReport.Node(
                    name: node.name.string, domain: node.domain, operatorName: node.opType, algorithm: plan.algorithm,
                    inputs: node.inputs.map { $0?.index }, outputs: node.outputs.map { $0?.index },
                    modules: node.modules,
                    attributes: node.attributes.sorted { $0.key < $1.key }.map {
                        GraphReport.Attribute(name: $0.key, value: $0.value.summary)
                    },
                    bodies: planned.isEmpty ? bodies(node, closed?.nodes[index], in: closed) : [],
                    multiplyAccumulates: plan.cost?.multiplyAccumulates ?? graph.multiplyAccumulates(of: node, opsets),
                    byteCount: plan.cost?.byteCount ?? Self.movedByteCount(node) { values[$0.index].byteCount },
                    origins: plan.origins, step: plan.step))
        }
        return GraphReport(
            name: graph.name.string, values: values, nodes: nodes, inputs: graph.inputs.map(\.index),
            outputs: graph.outputs.map(\.index), captures: graph.captures.map(\.index))
    }

    /// The nodes that only give a constant a name, by their place in the graph: Constant, and Identity of a constant, as
    /// exporters write it for weights that are used twice.
    static func constantNodes(of graph: Graph) -> [Int: Constant] {
        var found: [Int: Constant] = [:]
        var contents: [ValueID: Constant] = [:]
        for (index, node) in graph.nodes.enumerated() where node.domain == Domains.onnx {
            var constant: Constant?
            if node.opType == "Constant", case .tensor(let value)? = node.attributes["value"] { constant = value }
            if node.opType == "Identity", let input = node.inputs.first ?? nil {
                constant = graph[input].constant ?? contents[input]
            }
            guard let constant, let output = node.outputs.first ?? nil else { continue }
            found[index] = constant
            contents[output] = constant
        }
        return found
    }

    /// Subgraphs nest at most 32 deep.
    private mutating func bodies(_ node: Node, _ closed: Node?, in outer: Graph?) -> [GraphReport.Body] {
        var bodies: [GraphReport.Body] = []
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            guard case .graph(let graph) = attribute else { continue }
            var inner: Graph?
            if let closed, let outer, case .graph(let body)? = closed.attributes[name] {
                inner = inferred(body, of: closed, in: outer)
            }
            bodies.append(GraphReport.Body(attribute: name, graph: report(graph, closed: inner)))
        }
        return bodies
    }

    /// A closed body with what its captures and declarations say of its values.
    private func inferred(_ body: Graph, of node: Node, in outer: Graph) -> Graph {
        var body = body
        let count = min(node.captureCount, body.inputs.count)
        for (id, captured) in zip(body.inputs.suffix(count), node.inputs.suffix(count)) {
            guard let captured, body[id].type == nil else { continue }
            body[id].type = outer[captured].type
        }
        var inference = GraphInference(opsets: opsets)
        inference.toleratesGaps = true
        // What is wrong with it is said when the model is planned.
        try? inference.run(on: &body)
        return body
    }

    private mutating func weight(_ constant: Constant, _ name: Name) -> Int? {
        guard let weights, constant.fault == nil else { return nil }
        if let known = weightOfConstant[ObjectIdentifier(constant)] { return known }
        do {
            let report = try WeightReport(constant)
            self.weights?.append(report)
        } catch {
            unreadable = unreadable.map { ($0.first, $0.more + 1) } ?? ("\(name): \(error.description)", 0)
            return nil
        }
        constants.append(constant)
        weightOfConstant[ObjectIdentifier(constant)] = weights.count
        return weights.count
    }

    fileprivate static func byteCount(_ type: ValueType?, _ layout: Layout) -> Int? {
        guard let dtype = type?.dtype, let shape = try? type?.shape?.concrete() else { return nil }
        return try? TensorInfo(dtype: dtype, shape: shape, layout: layout).storedByteCount()
    }

    /// Of every operand once; `nil` when one is not known.
    fileprivate static func movedByteCount(_ node: Node, _ byteCount: (ValueID) -> Int?) -> Int? {
        var counts: [Int] = []
        for case let id? in node.inputs + node.outputs {
            guard let count = byteCount(id) else { return nil }
            counts.append(count)
        }
        return CheckedSize.sum(counts)
    }
}

extension Graph {
    /// Read and written by one run of a node, every operand once; `nil` when a shape is not known.
    func movedByteCount(of node: Node) -> Int? {
        GraphReportBuilder.movedByteCount(node) { GraphReportBuilder.byteCount(self[$0].type, self[$0].layout) }
    }

    /// By the direct algorithm; `nil` when a shape is not known or the operator is not.
    func multiplyAccumulates(of node: Node, _ opsets: [String: Int]) -> Int? {
        guard let op = try? OperatorTable.makeOperator(for: node, opset: opsets[node.domain] ?? 1) else { return nil }
        var infos: [TensorInfo?] = []
        for id in node.inputs + node.outputs {
            guard let id else {
                infos.append(nil)
                continue
            }
            guard let dtype = self[id].type?.dtype, let shape = try? self[id].type?.shape?.concrete() else {
                return nil
            }
            infos.append(TensorInfo(dtype: dtype, shape: shape))
        }
        return op.multiplyAccumulates(Array(infos.prefix(node.inputs.count)), Array(infos.dropFirst(node.inputs.count)))
    }
}
