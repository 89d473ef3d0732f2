import COnnx
import GraphIR
import TensorCore

/// Reads ONNX models.
///
/// A model is scanned once through a small window, its structure without tensor elements is unpacked within a memory
/// budget and turned into a `ModelGraph`, and elements stay in the file until a constant is asked for them.
/// Calls of model-local functions are inlined.
package enum OnnxImporter {
    /// - Parameters:
    ///   - path: the model file.
    ///   - externalRoot: a directory that external data may lie in instead of the model's own.
    ///   - toleratesMissingData: whether tensors whose external data cannot be read become constants without contents,
    ///     for looking into the model, instead of failing.
    /// - Throws: `parse` for what is no model, `limit` where it is too large or too deep, `unsupported` for versions
    ///   and types that are not known, `graph`, `tensor` and `external` for contradictions in its parts.
    package static func load(
        path: String, externalRoot: String? = nil, toleratesMissingData: Bool = false
    ) throws(SardonyxError) -> ModelGraph {
        let external = try ExternalFiles(modelPath: path, allowedRoot: externalRoot)
        return try load(try ModelSource.file(path), external, toleratesMissingData)
    }

    /// Reads a model in memory; it may use external data only below `externalRoot`.
    /// - Throws: as `load(path:)`.
    package static func load(bytes: [UInt8], externalRoot: String? = nil) throws(SardonyxError) -> ModelGraph {
        try load(ModelSource(bytes: bytes), try ExternalFiles(modelPath: nil, allowedRoot: externalRoot), false)
    }

    private static func load(
        _ source: ModelSource, _ external: ExternalFiles, _ toleratesMissingData: Bool
    ) throws(SardonyxError) -> ModelGraph {
        try FileSignature.check(source)
        let scan = try WireScan(source)
        let arena = onnx_arena_create(WireScan.unpackingBudget(source.byteCount))
        defer { onnx_arena_destroy(arena) }
        let tensors = TensorImporter(
            source: source, extents: scan.tensors, external: external, toleratesMissingData: toleratesMissingData)
        do throws(SardonyxError) {
            return try model(try unpack(scan.skeleton, arena, source).pointee, tensors)
        } catch {
            throw error.place.hasPrefix(source.label) ? error : error.placed(at: source.label)
        }
    }

    private static func unpack(
        _ bytes: [UInt8], _ arena: OpaquePointer?, _ source: ModelSource
    ) throws(SardonyxError) -> UnsafePointer<Onnx__ModelProto> {
        var model: UnsafePointer<Onnx__ModelProto>?
        let status = arena == nil ? ONNX_UNPACK_OUT_OF_MEMORY : onnx_unpack_model(arena, bytes, bytes.count, &model)
        switch status {
        case ONNX_UNPACK_OK:
            if let model { return model }
        case ONNX_UNPACK_OVER_BUDGET:
            throw SardonyxError(
                .limit, "", "memory for the model's structure",
                allowed: "\(WireScan.unpackingBudget(source.byteCount)) bytes")
        case ONNX_UNPACK_OUT_OF_MEMORY: throw SardonyxError(.limit, "", "out of memory for the model's structure")
        default: break
        }
        throw SardonyxError(.internal, "", "the scan passed what cannot be unpacked")
    }

    private static func model(_ proto: Onnx__ModelProto, _ tensors: TensorImporter) throws(SardonyxError) -> ModelGraph
    {
        guard proto.has_ir_version != 0, proto.ir_version > 0 else {
            throw SardonyxError(
                .graph, "model", "field 'ir_version' is missing", hint: "This may not be an ONNX model at all.")
        }
        guard let graph = proto.graph else { throw SardonyxError(.graph, "model", "field 'graph' is missing") }
        var opsets = try operatorSets(proto.opset_import, proto.n_opset_import, place: "model")
        // The first two versions of the format had no field for it.
        if opsets.isEmpty, proto.ir_version < 3 { opsets = [Domains.onnx: 1] }
        guard !opsets.isEmpty else { throw SardonyxError(.graph, "model", "field 'opset_import' is missing") }
        try SupportedVersions.check(irVersion: proto.ir_version, opsets: opsets, place: "model")

        var model = ModelGraph(
            graph: try GraphImporter.graph(graph.pointee, tensors: tensors), irVersion: Int(proto.ir_version),
            opsets: opsets)
        model.functions = try functions(proto, tensors)
        model.metadata = stringEntries(proto.metadata_props, proto.n_metadata_props)
        model.producer = text(proto.producer_name)
        model.producerVersion = text(proto.producer_version)
        model.domain = text(proto.domain)
        model.version = Int(proto.model_version)
        model.documentation = text(proto.doc_string)
        for input in model.graph.inputs where model.graph[input].type == nil {
            throw SardonyxError(.graph, "input '\(model.graph[input].name)'", "has no type")
        }
        try model.inlineFunctions()
        try checkDomains(of: model.graph, opsets)
        return model
    }

    private static func functions(_ proto: Onnx__ModelProto, _ tensors: TensorImporter) throws(SardonyxError)
        -> [Function]
    {
        var functions: [Function] = []
        var keys: Set<FunctionKey> = []
        for item in messages(proto.functions, proto.n_functions) {
            let item = item.pointee
            let place = "function '\(name(item.name))'"
            let (body, defaults) = try GraphImporter.body(item, tensors: tensors)
            let function = Function(
                domain: Domains.normalized(text(item.domain)), name: text(item.name), overload: text(item.overload),
                body: body,
                attributeNames: names(item.attribute, item.n_attribute).map(\.string), attributeDefaults: defaults,
                opsets: try operatorSets(item.opset_import, item.n_opset_import, place: place))
            guard keys.insert(FunctionKey(function)).inserted else {
                throw SardonyxError(.graph, place, "defined twice", got: "\(FunctionKey(function))")
            }
            functions.append(function)
        }
        return functions
    }

    /// Every operator must come from an operator set that the model imports.
    private static func checkDomains(of graph: Graph, _ opsets: [String: Int]) throws(SardonyxError) {
        for node in graph.nodes {
            guard opsets[node.domain] != nil else {
                throw SardonyxError(
                    .graph, node.label, "'opset_import' has no version of its domain",
                    got: node.domain.isEmpty ? "ai.onnx" : "'\(Name(node.domain))'",
                    allowed: opsets.keys.sorted().map { $0.isEmpty ? "ai.onnx" : $0 }.joined(separator: ", "))
            }
            for subgraph in node.subgraphs { try checkDomains(of: subgraph, opsets) }
        }
    }
}
