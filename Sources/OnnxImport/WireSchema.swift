import COnnx

/// What the scan needs to know of each message, taken from the generated descriptors.
struct WireSchema: Sendable {
    enum WireType: UInt8, Sendable {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    /// The fields in which a TensorProto holds its elements.
    enum Payload: Int, Sendable, CaseIterable {
        case raw, floats, int32s, strings, int64s, doubles, uint64s
    }

    enum Role: Sendable {
        /// A number, with the wire type of one occurrence.
        case number(WireType)
        case string(isDocumentation: Bool)
        case bytes
        case message(Int)
        /// Elements of a tensor; numbers have a wire type.
        case payload(Payload, WireType?)
    }

    enum Kind: Sendable { case model, graph, node, tensor, other }

    struct Field: Sendable {
        let name: String
        let id: UInt32
        let index: Int
        let isRepeated: Bool
        let isInOneof: Bool
        let role: Role
    }

    struct Message: Sendable {
        let kind: Kind
        /// Of the unpacked structure.
        let byteCount: Int
        /// By field number; `nil` where the standard has none.
        var fields: [Field?]
        let fieldCount: Int

        func field(_ id: UInt64) -> Field? { id < fields.count ? fields[Int(id)] : nil }
    }

    /// Index 0 is ModelProto.
    let messages: [Message]

    static let shared = WireSchema()

    private init() {
        var descriptors: [UnsafePointer<ProtobufCMessageDescriptor>] = [onnx_model_descriptor()]
        var messages: [Message] = []
        while messages.count < descriptors.count {
            messages.append(WireSchema.message(descriptors[messages.count].pointee, &descriptors))
        }
        self.messages = messages
    }

    private static func message(
        _ descriptor: ProtobufCMessageDescriptor, _ descriptors: inout [UnsafePointer<ProtobufCMessageDescriptor>]
    ) -> Message {
        let kind: Kind =
            switch String(cString: descriptor.short_name) {
            case "ModelProto": .model
            case "GraphProto": .graph
            case "NodeProto": .node
            case "TensorProto": .tensor
            default: .other
            }
        let all = UnsafeBufferPointer(start: descriptor.fields, count: Int(descriptor.n_fields))
        var fields = [Field?](repeating: nil, count: Int(all.map(\.id).max() ?? 0) + 1)
        for (index, field) in all.enumerated() {
            let name = String(cString: field.name)
            fields[Int(field.id)] = Field(
                name: name, id: field.id, index: index, isRepeated: field.label == PROTOBUF_C_LABEL_REPEATED,
                isInOneof: field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0,
                role: role(field, name, in: kind, &descriptors))
        }
        return Message(kind: kind, byteCount: descriptor.sizeof_message, fields: fields, fieldCount: all.count)
    }

    private static let payloads: [String: Payload] = [
        "raw_data": .raw, "float_data": .floats, "int32_data": .int32s, "string_data": .strings, "int64_data": .int64s,
        "double_data": .doubles, "uint64_data": .uint64s,
    ]

    private static func role(
        _ field: ProtobufCFieldDescriptor, _ name: String, in kind: Kind,
        _ descriptors: inout [UnsafePointer<ProtobufCMessageDescriptor>]
    ) -> Role {
        let wireType: WireType? =
            switch field.type {
            case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32: .fixed32
            case PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64: .fixed64
            case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: nil
            default: .varint
            }
        if kind == .tensor, let payload = payloads[name] { return .payload(payload, wireType) }
        if let wireType { return .number(wireType) }
        if field.type == PROTOBUF_C_TYPE_STRING { return .string(isDocumentation: name == "doc_string") }
        guard field.type == PROTOBUF_C_TYPE_MESSAGE, let target = field.descriptor else { return .bytes }
        let descriptor = target.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
        if let known = descriptors.firstIndex(of: descriptor) { return .message(known) }
        descriptors.append(descriptor)
        return .message(descriptors.count - 1)
    }
}
