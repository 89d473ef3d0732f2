import COnnx
import GraphIR
import TensorCore

extension ValueType {
    /// What a TypeProto says; `nil` when it says nothing that can be represented (no element type, opaque types).
    ///
    /// Types nest no deeper than messages, so the recursion is bounded.
    /// - Throws: `unsupported` for an element type that the standard does not have.
    init?(_ proto: UnsafePointer<Onnx__TypeProto>?) throws(SardonyxError) {
        guard let proto = proto?.pointee else { return nil }
        switch proto.value_case {
        case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
            guard let tensor = proto.tensor_type?.pointee, tensor.elem_type != 0 else { return nil }
            self = .tensor(try DType(onnx: tensor.elem_type), SymbolicShape(tensor.shape))
        case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
            guard let tensor = proto.sparse_tensor_type?.pointee, tensor.elem_type != 0 else { return nil }
            self = .sparseTensor(try DType(onnx: tensor.elem_type), SymbolicShape(tensor.shape))
        case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
            guard let element = try ValueType(proto.sequence_type?.pointee.elem_type) else { return nil }
            self = .sequence(element)
        case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
            guard let element = try ValueType(proto.optional_type?.pointee.elem_type) else { return nil }
            self = .optional(element)
        case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
            guard let map = proto.map_type?.pointee, map.key_type != 0, let value = try ValueType(map.value_type) else {
                return nil
            }
            self = .map(key: try DType(onnx: map.key_type), value: value)
        default: return nil
        }
    }
}

extension SymbolicShape {
    /// `nil` when not even the rank is given. Extents below 0, which some exporters write for "any", are unknown.
    fileprivate init?(_ proto: UnsafePointer<Onnx__TensorShapeProto>?) {
        guard let proto = proto?.pointee else { return nil }
        self.init(
            messages(proto.dim, proto.n_dim).map { dim in
                switch dim.pointee.value_case {
                case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE where dim.pointee.dim_value >= 0:
                    return .known(Int(dim.pointee.dim_value))
                case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
                    let symbol = text(dim.pointee.dim_param)
                    return symbol.isEmpty ? .unknown : .symbol(symbol)
                default: return .unknown
                }
            })
    }
}
