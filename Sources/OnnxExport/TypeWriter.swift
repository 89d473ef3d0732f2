import GraphIR
import TensorCore

extension ValueType {
    /// TypeProto.
    var message: WireMessage {
        var inner = WireMessage()
        var outer = WireMessage()
        switch self {
        case .tensor(let dtype, let shape), .sparseTensor(let dtype, let shape):
            inner.number(Fields.Pair.first, Int(dtype.rawValue))
            if let shape { inner.message(Fields.Pair.second, shape.message) }
        case .sequence(let element), .optional(let element):
            inner.message(Fields.Pair.first, element.message)
        case .map(let key, let value):
            inner.number(Fields.Pair.first, Int(key.rawValue))
            inner.message(Fields.Pair.second, value.message)
        }
        outer.message(kind, inner)
        return outer
    }

    private var kind: Int {
        switch self {
        case .tensor: Fields.TypeKind.tensor
        case .sparseTensor: Fields.TypeKind.sparseTensor
        case .sequence: Fields.TypeKind.sequence
        case .optional: Fields.TypeKind.optional
        case .map: Fields.TypeKind.map
        }
    }
}

extension SymbolicShape {
    /// TensorShapeProto; an unknown extent is a dimension that says nothing.
    fileprivate var message: WireMessage {
        var shape = WireMessage()
        for dim in dims {
            var extent = WireMessage()
            switch dim {
            case .known(let value): extent.number(Fields.Pair.first, value)
            case .symbol(let name): extent.text(Fields.Pair.second, name)
            case .unknown: break
            }
            shape.message(1, extent)
        }
        return shape
    }
}

extension Value {
    /// ValueInfoProto.
    var message: WireMessage {
        var info = WireMessage()
        info.bytes(Fields.ValueInfo.name, name.bytes)
        if let type { info.message(Fields.ValueInfo.type, type.message) }
        return info
    }
}
