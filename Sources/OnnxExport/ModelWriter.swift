import GraphIR
import TensorCore

/// Makes a ModelProto.
struct ModelWriter {
    let model: ModelGraph
    let tensors: TensorWriter

    /// - Throws: `internal` for what only passes make, and what tensors throw.
    func message() throws(SardonyxError) -> WireMessage {
        typealias Field = Fields.Model
        var graph = model.graph
        graph.stepAside()
        let functions = functionsInUse()
        var message = WireMessage()
        message.number(Field.irVersion, FormatVersion.needed(by: model, functions: functions))
        message.text(Field.producerName, model.producer)
        message.text(Field.producerVersion, model.producerVersion)
        message.text(Field.domain, model.domain)
        if model.version != 0 { message.number(Field.modelVersion, model.version) }
        message.text(Field.documentation, model.documentation)
        message.message(Field.graph, try GraphWriter(tensors: tensors).message(graph))
        for opset in opsets(model.opsets) { message.message(Field.opsetImport, opset) }
        for (key, value) in model.metadata { message.message(Field.metadata, pair(key, value)) }
        for function in functions { message.message(Field.functions, try self.message(function)) }
        return message
    }

    /// OperatorSetIdProtos, by domain.
    private func opsets(_ versions: [String: Int]) -> [WireMessage] {
        versions.filter { $0.key != Domains.internal }.sorted { $0.key < $1.key }.map { domain, version in
            var entry = WireMessage()
            entry.bytes(Fields.Pair.first, Array(domain.utf8))
            entry.number(Fields.Pair.second, version)
            return entry
        }
    }

    // MARK: Functions

    /// Functions that something calls: calls in a file are inlined as it is read.
    private func functionsInUse() -> [Function] {
        var wanted = keys(called: model.graph)
        var pending = Array(wanted)
        let found = Dictionary(model.functions.map { (FunctionKey($0), $0) }) { first, _ in first }
        while let key = pending.popLast() {
            guard let function = found[key] else { continue }
            for inner in keys(called: function.body) where wanted.insert(inner).inserted { pending.append(inner) }
        }
        return model.functions.filter { wanted.contains(FunctionKey($0)) }
    }

    private func keys(called graph: Graph) -> Set<FunctionKey> {
        var keys = Set(graph.nodes.map { FunctionKey($0) })
        for node in graph.nodes { for subgraph in node.subgraphs { keys.formUnion(self.keys(called: subgraph)) } }
        return keys
    }

    /// FunctionProto.
    private func message(_ function: Function) throws(SardonyxError) -> WireMessage {
        typealias Field = Fields.Function
        var body = function.body
        body.stepAside()
        var message = WireMessage()
        message.bytes(Field.name, Array(function.name.utf8))
        for id in body.inputs { message.bytes(Field.input, body[id].name.bytes) }
        for id in body.outputs { message.bytes(Field.output, body[id].name.bytes) }
        for name in function.attributeNames { message.bytes(Field.attribute, Array(name.utf8)) }
        let writer = GraphWriter(tensors: tensors, referenceKinds: referenceKinds(of: function))
        for node in try writer.nodes(body) { message.message(Field.node, node) }
        for opset in opsets(function.opsets) { message.message(Field.opsetImport, opset) }
        message.text(Field.domain, function.domain)
        for (name, value) in function.attributeDefaults.sorted(by: { $0.key < $1.key }) {
            message.message(Field.defaults, try writer.message(value, named: name))
        }
        message.text(Field.overload, function.overload)
        return message
    }

    /// A body refers to attributes by name only; their kinds are those of the defaults and of what calls give.
    private func referenceKinds(of function: Function) -> [String: Int] {
        var kinds = function.attributeDefaults.compactMapValues(\.kind)
        var pending = [model.graph] + model.functions.map(\.body)
        while let graph = pending.popLast() {
            for node in graph.nodes {
                pending += node.subgraphs
                guard FunctionKey(node) == FunctionKey(function) else { continue }
                kinds.merge(node.attributes.compactMapValues(\.kind)) { first, _ in first }
            }
        }
        return kinds
    }
}

/// The version of the format that a model needs.
enum FormatVersion {
    /// By operator set of ai.onnx: the version of the format that came with it (ONNX releases, "Versioning").
    private static let releases: [(opset: Int, version: Int)] = [
        (1, 3), (9, 4), (10, 5), (11, 6), (12, 7), (15, 8), (19, 9), (21, 10), (23, 11), (24, 12), (25, 13), (28, 14),
    ]
    /// Before it, initializers had to be inputs, too.
    private static let initializersAlone = 4
    private static let functions = 8

    /// The model's own version, or a later one where the operator set or what is written asks for it.
    static func needed(by model: ModelGraph, functions: [Function]) -> Int {
        let opset = model.opsets[Domains.onnx] ?? 1
        let release = releases.last { $0.opset <= opset }?.version ?? initializersAlone
        return max(model.irVersion, release, initializersAlone, functions.isEmpty ? 0 : Self.functions)
    }
}
