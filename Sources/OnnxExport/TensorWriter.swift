import GraphIR
import TensorCore

/// Makes TensorProtos, and decides where their elements go.
final class TensorWriter {
    /// Tensors below this stay in the model when there is an external file.
    static let smallestExternalByteCount = 1024
    /// What offsets in the external file are multiples of, so that it can be mapped.
    private static let pageByteCount = 4096

    /// Name of the external file beside the model; `nil` keeps everything in the model.
    private let location: String?
    /// What goes into the external file, in order, with the zeros in front of it.
    private(set) var external: [(padding: Int, constant: Constant)] = []
    private(set) var externalByteCount = 0

    init(location: String?) { self.location = location }

    /// - Parameter mayBeExternal: whether the tensor is an initializer, whose elements may lie in another file.
    /// - Throws: what reading a tensor of strings throws.
    func message(
        _ constant: Constant, name: Name = "", mayBeExternal: Bool = false
    ) throws(SardonyxError) -> WireMessage {
        var tensor = WireMessage()
        for extent in constant.shape.dims { tensor.number(Fields.Tensor.dims, extent) }
        tensor.number(Fields.Tensor.dataType, Int(constant.dtype.rawValue))
        if !name.isEmpty { tensor.bytes(Fields.Tensor.name, name.bytes) }
        guard let byteCount = ElementWriter.byteCount(constant) else {
            let strings = try constant.tensor()
            for element in strings.elements(of: String.self) {
                tensor.bytes(Fields.Tensor.strings, Array(element.utf8))
            }
            withExtendedLifetime(strings) {}
            return tensor
        }
        if let location, mayBeExternal, byteCount >= Self.smallestExternalByteCount {
            let offset = CheckedSize.roundUp(externalByteCount, to: Self.pageByteCount) ?? externalByteCount
            external.append((offset - externalByteCount, constant))
            externalByteCount = CheckedSize.sum(offset, byteCount) ?? .max
            for (key, value) in [("location", location), ("offset", "\(offset)"), ("length", "\(byteCount)")] {
                tensor.message(Fields.Tensor.externalData, pair(key, value))
            }
            tensor.number(Fields.Tensor.dataLocation, 1)
        } else {
            tensor.elements(Fields.Tensor.raw, constant, byteCount: byteCount)
        }
        return tensor
    }

    /// SparseTensorProto.
    /// - Throws: as `message`.
    func message(_ sparse: SparseConstant) throws(SardonyxError) -> WireMessage {
        var message = WireMessage()
        message.message(Fields.Sparse.values, try self.message(sparse.values))
        message.message(Fields.Sparse.indices, try self.message(sparse.indices))
        for extent in sparse.shape.dims { message.number(Fields.Sparse.dims, extent) }
        return message
    }
}

/// StringStringEntryProto.
func pair(_ key: String, _ value: String) -> WireMessage {
    var entry = WireMessage()
    entry.bytes(Fields.Pair.first, Array(key.utf8))
    entry.bytes(Fields.Pair.second, Array(value.utf8))
    return entry
}
