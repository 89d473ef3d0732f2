import GraphIR
import TensorCore

extension Attribute {
    /// `AttributeProto.AttributeType`; `nil` for a reference, whose kind is that of what stands there.
    var kind: Int? {
        switch self {
        case .float: 1
        case .int: 2
        case .string: 3
        case .tensor: 4
        case .graph: 5
        case .floats: 6
        case .ints: 7
        case .strings: 8
        case .tensors: 9
        case .graphs: 10
        case .sparseTensor: 11
        case .sparseTensors: 12
        case .type: 13
        case .types: 14
        case .reference: nil
        }
    }
}

extension GraphWriter {
    /// AttributeProto.
    /// - Throws: what tensors and graphs throw.
    func message(_ attribute: Attribute, named name: String) throws(SardonyxError) -> WireMessage {
        typealias Field = Fields.Attribute
        var message = WireMessage()
        message.bytes(Field.name, Array(name.utf8))
        switch attribute {
        case .float(let value): message.float(Field.float, value)
        case .int(let value): message.number(Field.int, value)
        case .string(let value): message.bytes(Field.string, value)
        case .tensor(let constant): message.message(Field.tensor, try tensors.message(constant))
        case .graph(let graph): message.message(Field.graph, try self.message(graph))
        case .sparseTensor(let sparse): message.message(Field.sparseTensor, try tensors.message(sparse))
        case .type(let type): message.message(Field.type, type.message)
        case .floats(let values): for value in values { message.float(Field.floats, value) }
        case .ints(let values): for value in values { message.number(Field.ints, value) }
        case .strings(let values): for value in values { message.bytes(Field.strings, value) }
        case .tensors(let constants):
            for constant in constants { message.message(Field.tensors, try tensors.message(constant)) }
        case .graphs(let graphs): for graph in graphs { message.message(Field.graphs, try self.message(graph)) }
        case .sparseTensors(let sparse):
            for tensor in sparse { message.message(Field.sparseTensors, try tensors.message(tensor)) }
        case .types(let types): for type in types { message.message(Field.types, type.message) }
        case .reference(let name):
            message.bytes(Field.reference, Array(name.utf8))
            if let kind = referenceKinds[name] { message.number(Field.kind, kind) }
        }
        if let kind = attribute.kind { message.number(Field.kind, kind) }
        return message
    }
}
