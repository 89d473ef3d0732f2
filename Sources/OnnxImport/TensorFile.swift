import GraphIR
import TensorCore

extension OnnxImporter {
    /// Reads a file that holds one TensorProto, as the test data of the ONNX backend tests do.
    ///
    /// The tensor is read as the attribute of a one-node model, so that it meets the same checks as any other.
    /// - Throws: `parse`, `limit`, `unsupported` or `tensor`, at the file.
    package static func tensor(path: String) throws(SardonyxError) -> Tensor {
        let source = try ModelSource.file(path)
        guard source.byteCount <= 1 << 30 else {
            throw SardonyxError(.limit, path, "tensor file", got: "\(source.byteCount) bytes", allowed: "at most 2^30")
        }
        var bytes = [UInt8](repeating: 0, count: source.byteCount)
        var fault: SardonyxError?
        bytes.withUnsafeMutableBytes { memory in
            guard let start = memory.baseAddress else { return }
            do throws(SardonyxError) { try source.read(source.byteCount, at: 0, into: start) } catch { fault = error }
        }
        if let fault { throw fault }
        do throws(SardonyxError) {
            let model = try load(bytes: carrier(of: bytes))
            guard case .tensor(let constant)? = model.graph.nodes.first?.attributes["value"] else {
                throw SardonyxError(.parse, "", "not a TensorProto")
            }
            return try constant.tensor()
        } catch {
            throw error.placed(at: path)
        }
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
