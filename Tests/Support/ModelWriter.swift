/// A protobuf message under construction: just enough to write models, good and bad, in tests.
package struct Message: ExpressibleByArrayLiteral {
    package var bytes: [UInt8] = []

    package init(_ bytes: [UInt8] = []) { self.bytes = bytes }
    package init(arrayLiteral fields: Message...) { self.bytes = fields.flatMap(\.bytes) }

    package static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f | 0x80)] + varint(value >> 7)
    }

    package static func int(_ field: Int, _ value: Int) -> Message {
        Message(varint(UInt64(field) << 3) + varint(UInt64(bitPattern: Int64(value))))
    }

    package static func bytes(_ field: Int, _ value: [UInt8]) -> Message {
        Message(varint(UInt64(field) << 3 | 2) + varint(UInt64(value.count)) + value)
    }

    package static func text(_ field: Int, _ value: String) -> Message { bytes(field, Array(value.utf8)) }
    package static func message(_ field: Int, _ value: Message) -> Message { bytes(field, value.bytes) }
    package static func fixed32(_ field: Int, _ value: Float) -> Message {
        Message(varint(UInt64(field) << 3 | 5) + withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
    }

    package static func + (a: Message, b: Message) -> Message { Message(a.bytes + b.bytes) }
}

package func little(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
}

/// TensorProto.
package func tensor(_ name: String, dtype: Int = 1, dims: [Int], _ payload: Message...) -> Message {
    dims.reduce([]) { $0 + .int(1, $1) } + .int(2, dtype) + .text(8, name) + payload.reduce([], +)
}

/// A float32 TensorProto with zeros as raw data.
package func zeros(_ name: String, _ count: Int) -> Message {
    tensor(name, dims: [count], .bytes(9, [UInt8](repeating: 0, count: 4 * count)))
}

/// A float32 TensorProto whose data lies elsewhere.
package func externalTensor(_ entries: [(String, String)], count: Int = 4) -> Message {
    let pairs = entries.reduce(Message()) { $0 + .message(13, [.text(1, $1.0), .text(2, $1.1)]) }
    return tensor("w", dims: [count], pairs, .int(14, 1))
}

/// NodeProto.
package func node(_ opType: String, _ inputs: [String], _ outputs: [String], _ more: Message = []) -> Message {
    inputs.reduce([]) { $0 + .text(1, $1) } + outputs.reduce([]) { $0 + .text(2, $1) } + .text(4, opType) + more
}

/// AttributeProto with a graph.
package func graphAttribute(_ name: String, _ graph: Message) -> Message {
    .message(5, [.text(1, name), .int(20, 5), .message(6, graph)])
}

/// ValueInfoProto of a float32 tensor [1].
package func value(_ name: String) -> Message { value(name, extents: [.int(1, 1)]) }

/// ValueInfoProto.
/// - Parameter extents: fields of TensorShapeProto.Dimension; `nil` leaves the shape open.
package func value(_ name: String, dtype: Int = 1, extents: [Message]?) -> Message {
    let shape = extents.map { Message.message(2, $0.reduce([]) { $0 + .message(1, $1) }) } ?? []
    return [.text(1, name), .message(2, .message(1, .int(1, dtype) + shape))]
}

/// GraphProto.
package func graph(
    _ nodes: [Message], inputs: [String] = [], outputs: [String] = [], initializers: [Message] = [], more: Message = []
) -> Message {
    nodes.reduce([]) { $0 + .message(1, $1) } + .text(2, "g") + initializers.reduce([]) { $0 + .message(5, $1) }
        + inputs.reduce([]) { $0 + .message(11, value($1)) } + outputs.reduce([]) { $0 + .message(12, value($1)) }
        + more
}

/// ModelProto.
package func model(_ graph: Message, ir: Int = 10, opset: Int = 18, more: Message = []) -> [UInt8] {
    ([.int(1, ir), .message(7, graph), .message(8, .int(2, opset))] + more).bytes
}

/// One Relu from `x` to `y`, with an initializer that nothing reads.
package func relu(_ initializers: Message...) -> [UInt8] {
    model(graph([node("Relu", ["x"], ["y"])], inputs: ["x"], outputs: ["y"], initializers: initializers))
}
