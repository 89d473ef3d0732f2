import COnnx
import GraphIR
import TensorCore

/// Makes constants of TensorProtos, leaving the elements of all but small ones where they are.
final class TensorImporter {
    /// Tensors up to this size are read at once: shapes, axes, scales.
    static let residentByteCount = 4096
    /// A sparse tensor may not become larger than this when made dense.
    static let densestByteCount = 256 << 20

    private let source: ModelSource
    private let extents: [TensorExtent]
    private let external: ExternalFiles
    private let toleratesMissingData: Bool

    /// - Parameter toleratesMissingData: makes constants without contents of tensors whose external data cannot be read.
    init(source: ModelSource, extents: [TensorExtent], external: ExternalFiles, toleratesMissingData: Bool) {
        self.source = source
        self.extents = extents
        self.external = external
        self.toleratesMissingData = toleratesMissingData
    }

    /// - Parameter place: for messages, for example `initializer 'conv1.weight'`.
    /// - Throws: `tensor` where type, extents and payload contradict each other, `unsupported` for an unknown type,
    ///   `external` for data outside the file that may not or cannot be read.
    func constant(_ proto: Onnx__TensorProto, place: String) throws(SardonyxError) -> Constant {
        do throws(SardonyxError) {
            let dtype = try DType(onnx: proto.data_type)
            let shape = try shape(Array(UnsafeBufferPointer(start: proto.dims, count: proto.n_dims)))
            guard proto.segment == nil else { throw SardonyxError(.unsupported, "", "tensor in segments") }
            let payload: TensorPayload
            do throws(SardonyxError) { payload = try self.payload(proto, dtype, shape) } catch {
                guard toleratesMissingData, error.code == .external else { throw error }
                return Constant(dtype: dtype, shape: shape, missing: error.placed(at: place))
            }
            if let bytes = CheckedSize.product(shape.elementCount, dtype.byteSize),
                bytes <= TensorImporter.residentByteCount
            {
                return Constant(try payload.tensor(dtype, shape))
            }
            return Constant(dtype: dtype, shape: shape) { () throws(SardonyxError) in
                do throws(SardonyxError) { return try payload.tensor(dtype, shape) } catch {
                    throw error.placed(at: place)
                }
            }
        } catch {
            throw error.placed(at: place)
        }
    }

    /// Extents as a shape; what is wrong with them is the tensor's fault.
    private func shape(_ dims: [Int64]) throws(SardonyxError) -> Shape {
        do throws(SardonyxError) {
            return try Shape(dims.map(Int.init))
        } catch {
            throw SardonyxError(.tensor, "", error.message)
        }
    }

    private func payload(_ proto: Onnx__TensorProto, _ dtype: DType, _ shape: Shape) throws(SardonyxError)
        -> TensorPayload
    {
        let extent = try extent(of: proto)
        let present = extent.payloads
        let type = "\(dtype)\(shape)"
        let isExternal =
            proto.has_data_location != 0 && proto.data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
        if proto.has_data_location != 0, !isExternal, proto.data_location != ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT
        {
            throw SardonyxError(
                .unsupported, "", "data location", got: "\(proto.data_location.rawValue)", allowed: "0 or 1")
        }
        guard present.count + (isExternal ? 1 : 0) <= 1 else {
            let names = present.map(\.name) + (isExternal ? ["external_data"] : [])
            throw SardonyxError(
                .tensor, "", "\(names.count) payloads", got: names.joined(separator: " and "), allowed: "one")
        }
        if isExternal { return try externalPayload(proto, dtype, shape) }
        let typed = TensorPayload.typedField(dtype, shape.elementCount)
        guard let field = present.first else {
            guard shape.elementCount == 0 else {
                throw SardonyxError(
                    .tensor, "", "no payload for \(type)", got: "0 bytes", allowed: expected(dtype, shape))
            }
            return .none
        }
        if field == .raw, let raw = extent.raw {
            guard let needed = TensorPayload.rawByteCount(dtype, shape.elementCount) else {
                throw SardonyxError(.tensor, "", "strings cannot be in raw_data", got: type, allowed: "string_data")
            }
            guard raw.count == needed else {
                throw SardonyxError(
                    .tensor, "", "raw_data of \(type)", got: "\(raw.count) bytes", allowed: "\(needed) bytes")
            }
            return .raw(source, raw)
        }
        guard field == typed.field else {
            throw SardonyxError(
                .tensor, "", "payload of \(type)", got: field.name, allowed: "raw_data or \(typed.field.name)")
        }
        guard extent[field] == typed.entries else {
            throw SardonyxError(
                .tensor, "", "\(field.name) of \(type)", got: "\(extent[field]) entries",
                allowed: "\(typed.entries) (\(expected(dtype, shape)))")
        }
        return .typed(source, body: extent.body, field)
    }

    private func expected(_ dtype: DType, _ shape: Shape) -> String {
        TensorPayload.rawByteCount(dtype, shape.elementCount).map { "\($0) bytes" } ?? "\(shape.elementCount) strings"
    }

    private func externalPayload(_ proto: Onnx__TensorProto, _ dtype: DType, _ shape: Shape) throws(SardonyxError)
        -> TensorPayload
    {
        let reference = try ExternalReference(stringEntries(proto.external_data, proto.n_external_data))
        guard let location = reference.location else { throw SardonyxError(.external, "", "key 'location' is missing") }
        guard let needed = TensorPayload.rawByteCount(dtype, shape.elementCount) else {
            throw SardonyxError(.unsupported, "", "strings in external data")
        }
        let file = try external.file(location)
        return .raw(file, try reference.range(needed, of: "\(dtype)\(shape)", in: file))
    }

    /// The scan has put the tensor's number in place of its elements.
    private func extent(of proto: Onnx__TensorProto) throws(SardonyxError) -> TensorExtent {
        let bytes = UnsafeBufferPointer(start: proto.raw_data.data, count: proto.raw_data.len)
        let index = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count == 4, extents.indices.contains(index) else {
            throw SardonyxError(.internal, "", "tensor without extent")
        }
        return extents[index]
    }
}

extension WireSchema.Payload {
    /// The field's name in the standard.
    var name: String {
        switch self {
        case .raw: "raw_data"
        case .floats: "float_data"
        case .int32s: "int32_data"
        case .strings: "string_data"
        case .int64s: "int64_data"
        case .doubles: "double_data"
        case .uint64s: "uint64_data"
        }
    }
}

extension DType {
    /// - Throws: `tensor` for 0 (UNDEFINED), `unsupported` for a number that the standard does not have.
    init(onnx number: Int32) throws(SardonyxError) {
        guard number != 0 else {
            throw SardonyxError(.tensor, "", "data type", got: "0 (undefined)", allowed: "1 … \(DType.highest)")
        }
        guard let dtype = DType(rawValue: number) else {
            throw SardonyxError(
                .unsupported, "", "data type", got: "\(number) (unknown)", allowed: "1 … \(DType.highest)")
        }
        self = dtype
    }

    private static let highest = DType.allCases.map(\.rawValue).max() ?? 0
}
