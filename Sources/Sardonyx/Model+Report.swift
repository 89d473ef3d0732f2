import GraphIR
import Operators
import Passes
import TensorCore

extension Model {
    /// Looks into the model without running it; models that cannot run are described as far as they are understood.
    /// - Parameters:
    ///   - shapes: concrete shapes for inputs, by name.
    ///   - pass: shows the graph after the first pass of this name instead of the graph of the file.
    /// - Throws: `usage` for an unknown pass or input, and what passes find wrong when `pass` is given.
    public func report(shapes: [String: [Int]] = [:], after pass: String? = nil) throws(SardonyxError) -> ModelReport {
        let model = try binding(shapes)
        guard let pass else {
            let (graph, _, problems) = model.described()
            return ReportBuilder(graph: graph, content: content).report(problems)
        }
        if let fault = content.missingData.first { throw fault }
        var graph = model.content.graph
        try model.run(pass, on: &graph)
        return ReportBuilder(graph: graph, content: content).report(missingOperators)
    }

    /// The model with the shapes of inputs fixed.
    /// - Throws: `usage` for an unknown input or a shape that does not fit it.
    func binding(_ shapes: [String: [Int]]) throws(SardonyxError) -> Model {
        var bound = content
        try bound.bind(shapes.sorted { $0.key < $1.key }.map { (Name($0.key), $0.value) })
        return Model(content: bound, path: path)
    }

    /// The graph of the file with what inference knows of its values, as far as it is understood.
    /// - Returns: also the graph with its subgraphs closed and inferred, and what would stop the model from running.
    func described() -> (graph: Graph, closed: Graph, problems: [String]) {
        var problems = obstacles
        var graph = content.graph
        var inference = GraphInference(opsets: content.opsets, evaluator: Evaluator())
        inference.toleratesGaps = true
        var inferred = graph
        inferred.closeSubgraphs()
        do {
            try inference.run(on: &inferred)
            for index in graph.values.indices { graph.values[index].type = inferred.values[index].type }
        } catch {
            problems.append(error.description)
        }
        return (graph, inferred, problems)
    }

    /// Operators and data that are missing.
    var obstacles: [String] { missingOperators + missingData }

    private var missingOperators: [String] {
        OperatorCoverage.gaps(in: content).map { gap in
            "operator \(Domains.qualified(gap.name, in: gap.domain)) of opset \(gap.opset) is not available (\(gap.count) node\(gap.count == 1 ? "" : "s"))"
        }
    }

    /// The first tensor without data, and how many others.
    private var missingData: [String] {
        let faults = content.missingData
        guard let first = faults.first else { return [] }
        return [first.description] + (faults.count > 1 ? ["\(faults.count - 1) more tensors have no data"] : [])
    }

    private func run(_ pass: String, on graph: inout Graph) throws(SardonyxError) {
        guard Pipeline.names.contains(pass) else {
            throw SardonyxError(
                .usage, "pass", "unknown", got: "'\(pass)'", allowed: Pipeline.names.joined(separator: ", "))
        }
        graph.closeSubgraphs()
        let pipeline = Pipeline(opsets: content.opsets, disabled: [], evaluator: Evaluator())
        for stage in Pipeline.Stage.allCases {
            if try pipeline.run(stage, on: &graph, last: pass) { return }
        }
    }
}

/// Turns a graph into its report.
private struct ReportBuilder {
    let graph: Graph
    let content: ModelGraph

    func report(_ problems: [String]) -> ModelReport {
        let nodes = graph.nodes.map(report)
        let weights = graph.readConstants
        return ModelReport(
            irVersion: content.irVersion,
            producer: [content.producer, content.producerVersion].filter { !$0.isEmpty }.joined(separator: " "),
            opsets: Dictionary(content.opsets.map { ($0.key.isEmpty ? "ai.onnx" : $0.key, $0.value) }) { $1 },
            metadata: Dictionary(content.metadata.map { ($0.key, $0.value) }) { $1 },
            inputs: graph.inputs.map { Signature(graph[$0]).description },
            outputs: graph.outputs.map { Signature(graph[$0]).description }, nodes: nodes,
            operators: operatorCounts(nodes), bodyNodeCount: graph.bodyNodeCount,
            functions: content.functions.map { Domains.qualified($0.name, in: $0.domain) },
            parameterCount: CheckedSize.sum(weights.map(\.shape.elementCount)) ?? .max,
            parameterByteCount: CheckedSize.sum(weights.map { $0.shape.elementCount * $0.dtype.byteSize }) ?? .max,
            multiplyAccumulates: total(nodes.map(\.multiplyAccumulates)),
            hasOpenInputs: graph.inputs.contains { graph[$0].type?.shape?.knownDims == nil }, problems: problems)
    }

    private func report(_ node: Node) -> ModelReport.NodeReport {
        ModelReport.NodeReport(
            name: node.name.string, domain: node.domain, operatorName: node.opType,
            inputs: node.inputs.map { $0.map { ModelReport.ValueReport(graph[$0]) } },
            outputs: node.outputs.map { $0.map { ModelReport.ValueReport(graph[$0]) } },
            attributes: node.attributes.mapValues(\.summary),
            multiplyAccumulates: graph.multiplyAccumulates(of: node, content.opsets),
            origins: node.origins.map(\.string))
    }

    private func operatorCounts(_ reports: [ModelReport.NodeReport]) -> [ModelReport.OperatorCount] {
        let groups = Dictionary(grouping: zip(graph.nodes, reports)) { $0.0.domain + "\u{0}" + $0.0.opType }.values
        let contents = graph.constantContents
        let counts = groups.compactMap { group -> ModelReport.OperatorCount? in
            guard let first = group.first?.0 else { return nil }
            let read = Set(group.flatMap { $0.0.inputs.compactMap { $0 } })
            let weights = read.compactMap { contents[$0] }.filter { $0.shape.rank > 0 }
            return ModelReport.OperatorCount(
                domain: first.domain, name: first.opType, count: group.count,
                isAvailable: OperatorTable.entry(
                    domain: first.domain, name: first.opType, opset: content.opsets[first.domain] ?? 1) != nil,
                multiplyAccumulates: total(group.map { $0.1.multiplyAccumulates }),
                parameterCount: CheckedSize.sum(weights.map(\.shape.elementCount)) ?? .max,
                byteCount: total(group.map { graph.movedByteCount(of: $0.0) }))
        }
        return counts.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }

    private func total(_ counts: [Int?]) -> Int? {
        let known = counts.compactMap { $0 }
        return known.count == counts.count ? CheckedSize.sum(known) : nil
    }
}

extension ModelReport.ValueReport {
    init(_ value: Value) {
        name = value.name.string
        type = value.type?.description ?? "?"
        layout = value.layout.description
        isConstant = value.constant != nil
    }
}

extension Attribute {
    /// For listings: small values in full, others by their kind.
    var summary: String {
        switch self {
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string(let bytes): "\"\(Name(bytes: bytes))\""
        case .ints(let values): values.count <= 16 ? "\(values)" : "\(values.count) ints"
        case .floats(let values): values.count <= 16 ? "\(values)" : "\(values.count) floats"
        case .strings(let values): "\(values.count) strings"
        case .tensor(let constant): constant.type.description
        case .tensors(let constants): "\(constants.count) tensors"
        case .graph(let graph): "graph of \(graph.nodes.count) nodes"
        case .graphs(let graphs): "\(graphs.count) graphs"
        case .type(let type): "\(type)"
        case .types(let types): "\(types.count) types"
        case .sparseTensor(let sparse): "sparse \(sparse.shape)"
        case .sparseTensors(let tensors): "\(tensors.count) sparse tensors"
        case .reference(let name): "@\(name)"
        }
    }
}
