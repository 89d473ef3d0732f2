import GraphIR
import TensorCore

extension OnnxImporter {
    /// Reads a file that holds one TensorProto, as the test data of the ONNX backend tests do.
    /// - Throws: `parse`, `limit`, `unsupported` or `tensor`, at the file.
    package static func tensor(path: String) throws(SardonyxError) -> Tensor {
        guard case .tensor(let tensor) = try value(path: path, type: .tensor(.float32, nil)) else {
            throw SardonyxError(.parse, path, "not a TensorProto")
        }
        return tensor
    }

    /// The tensor that a TensorProto is.
    ///
    /// It is read as the attribute of a one-node model, so that it meets the same checks as any other.
    static func tensor(bytes: [UInt8]) throws(SardonyxError) -> Tensor {
        let model = try load(bytes: carrier(of: bytes))
        guard case .tensor(let constant)? = model.graph.nodes.first?.attributes["value"] else {
            throw SardonyxError(.parse, "", "not a TensorProto")
        }
        return try constant.tensor()
    }

    /// A model with one Constant node whose attribute `value` is the given TensorProto.
    private static func carrier(of tensor: [UInt8]) -> [UInt8] {
        let attribute = message(1, Array("value".utf8)) + message(5, tensor) + number(20, 4)
        let node = message(2, Array("value".utf8)) + message(4, Array("Constant".utf8)) + message(5, attribute)
        let graph = message(1, node) + message(2, Array("tensor".utf8))
        return number(1, SupportedVersions.irVersion) + message(7, graph) + message(8, number(2, 13))
    }

    private static func message(_ field: Int, _ body: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(body.count) + body
    }

    private static func number(_ field: Int, _ value: Int) -> [UInt8] { varint(field << 3) + varint(value) }

    private static func varint(_ value: Int) -> [UInt8] {
        var (rest, bytes) = (UInt(bitPattern: value), [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
