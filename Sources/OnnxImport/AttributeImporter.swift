import COnnx
import GraphIR
import TensorCore

extension GraphImporter {
    /// Attributes by name.
    /// - Throws: `graph` for one that is given twice; what `attribute` throws.
    func attributes(
        _ protos: [UnsafeMutablePointer<Onnx__AttributeProto>], place: String
    ) throws(SardonyxError) -> [String: Attribute] {
        var attributes: [String: Attribute] = [:]
        for proto in protos {
            let key = text(proto.pointee.name)
            do throws(SardonyxError) {
                guard let value = try attribute(proto.pointee) else { continue }
                guard attributes.updateValue(value, forKey: key) == nil else {
                    throw SardonyxError(.graph, "", "given twice")
                }
            } catch {
                throw error.placed(at: "\(place): attribute '\(Name(key))'")
            }
        }
        return attributes
    }

    /// The value of an attribute; `nil` when it is of a kind that cannot be represented (opaque types).
    /// - Throws: `graph` for a value that is missing or a reference outside a function, `unsupported` for an unknown
    ///   kind; what tensors and graphs throw.
    private func attribute(_ proto: Onnx__AttributeProto) throws(SardonyxError) -> Attribute? {
        let reference = text(proto.ref_attr_name)
        guard reference.isEmpty else {
            guard isInFunction else {
                throw SardonyxError(
                    .graph, "", "refers to a function's attribute outside a function", got: "'\(Name(reference))'")
            }
            return .reference(reference)
        }
        switch kind(of: proto) {
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT: return .float(proto.f)
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT: return .int(Int(proto.i))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING: return .string(bytes(proto.s))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
            return .tensor(try tensors.constant(try required(proto.t), place: "tensor"))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH: return .graph(try subgraph(try required(proto.g)))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR:
            return .sparseTensor(try tensors.sparse(try required(proto.sparse_tensor), place: "sparse tensor"))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO: return try ValueType(proto.tp).map(Attribute.type)
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
            return .floats(Array(UnsafeBufferPointer(start: proto.floats, count: proto.n_floats)))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
            return .ints(UnsafeBufferPointer(start: proto.ints, count: proto.n_ints).map(Int.init))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
            return .strings(UnsafeBufferPointer(start: proto.strings, count: proto.n_strings).map(bytes))
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS:
            var constants: [Constant] = []
            for (index, tensor) in messages(proto.tensors, proto.n_tensors).enumerated() {
                constants.append(try tensors.constant(tensor.pointee, place: "tensor \(index)"))
            }
            return .tensors(constants)
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS:
            var graphs: [Graph] = []
            for graph in messages(proto.graphs, proto.n_graphs) { graphs.append(try subgraph(graph.pointee)) }
            return .graphs(graphs)
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS:
            var constants: [SparseConstant] = []
            for (index, tensor) in messages(proto.sparse_tensors, proto.n_sparse_tensors).enumerated() {
                constants.append(try tensors.sparse(tensor.pointee, place: "sparse tensor \(index)"))
            }
            return .sparseTensors(constants)
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS:
            var types: [ValueType] = []
            for type in messages(proto.type_protos, proto.n_type_protos) {
                guard let type = try ValueType(type) else { return nil }
                types.append(type)
            }
            return .types(types)
        case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED: throw SardonyxError(.graph, "", "has no value")
        default:
            throw SardonyxError(.unsupported, "", "attribute type", got: "\(proto.type.rawValue)", allowed: "1 … 14")
        }
    }

    private func subgraph(_ proto: Onnx__GraphProto) throws(SardonyxError) -> Graph {
        try GraphImporter.graph(proto, tensors: tensors, parent: self)
    }

    private func required<Message>(_ pointer: UnsafeMutablePointer<Message>?) throws(SardonyxError) -> Message {
        guard let pointer else { throw SardonyxError(.graph, "", "has a type but no value") }
        return pointer.pointee
    }

    /// The stated type or, in files older than IR version 2 that state none, that of the field which is set.
    private func kind(of proto: Onnx__AttributeProto) -> Onnx__AttributeProto__AttributeType {
        guard proto.type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED else { return proto.type }
        if proto.has_f != 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT }
        if proto.has_i != 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT }
        if proto.has_s != 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING }
        if proto.t != nil { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR }
        if proto.g != nil { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH }
        if proto.n_floats > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS }
        if proto.n_ints > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS }
        if proto.n_strings > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS }
        if proto.n_tensors > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS }
        if proto.n_graphs > 0 { return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS }
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED
    }
}
