import GraphIR
import TensorCore

extension OnnxImporter {
    /// Reads a file that holds one TensorProto, SequenceProto or OptionalProto, as `type` says, as the test data of the
    /// ONNX backend tests do.
    ///
    /// Tensors, wherever they are, meet the same checks as those of a model.
    /// - Throws: `parse`, `limit`, `unsupported` or `tensor`, at the file.
    package static func value(path: String, type: ValueType) throws(SardonyxError) -> RuntimeValue {
        let source = try ModelSource.file(path)
        do throws(SardonyxError) {
            return try ValueReader(source).value(0..<source.byteCount, type)
        } catch {
            throw error.place.hasPrefix(path) ? error : error.placed(at: path)
        }
    }
}

/// Walks the messages around tensors. They nest as the type does, so depth is bounded by the type's.
private struct ValueReader {
    let source: ModelSource

    init(_ source: ModelSource) { self.source = source }

    /// Fields of SequenceProto and OptionalProto that hold values.
    private enum Field {
        static let name: UInt64 = 1
        static let elementType: UInt64 = 2
        static let tensor: UInt64 = 3
        static let sequence: UInt64 = 5
        static let all: ClosedRange<UInt64> = 1...7
    }

    func value(_ body: Range<Int>, _ type: ValueType) throws(SardonyxError) -> RuntimeValue {
        switch type {
        case .tensor: return .tensor(try OnnxImporter.tensor(bytes: try bytes(body)))
        case .sequence(.tensor(let dtype, _)):
            var sequence = TensorSequence(dtype)
            for field in try fields(of: body, allowed: Field.tensor) {
                try sequence.append(try OnnxImporter.tensor(bytes: try bytes(field)))
            }
            return .sequence(sequence)
        case .optional(let held):
            let wanted: UInt64 = if case .sequence = held { Field.sequence } else { Field.tensor }
            let fields = try fields(of: body, allowed: wanted)
            guard fields.count <= 1 else {
                throw SardonyxError(.parse, "", "optional with several values", got: "\(fields.count)", allowed: "1")
            }
            return try fields.first.map { (field) throws(SardonyxError) in try value(field, held) } ?? .absent(type)
        default: throw SardonyxError(.unsupported, "", "kind of value in a file", got: "\(type)")
        }
    }

    /// Where the messages in one field lie.
    /// - Throws: `parse` for what is no such message, `unsupported` for values in another field.
    private func fields(of body: Range<Int>, allowed: UInt64) throws(SardonyxError) -> [Range<Int>] {
        var reader = SourceReader(source, at: body.lowerBound)
        var found: [Range<Int>] = []
        while reader.position < body.upperBound {
            let start = reader.position
            guard let tag = try reader.varint(before: body.upperBound), Field.all.contains(tag >> 3) else {
                throw SardonyxError(.parse, "", "not a sequence or optional: field at byte \(start)")
            }
            if tag == Field.elementType << 3 {
                guard try reader.varint(before: body.upperBound) != nil else {
                    throw SardonyxError(.parse, "", "field at byte \(start) is cut")
                }
                continue
            }
            guard tag & 7 == 2, let length = try reader.varint(before: body.upperBound),
                length <= UInt64(body.upperBound - reader.position)
            else {
                throw SardonyxError(.parse, "", "field \(tag >> 3) at byte \(start) runs past its end")
            }
            let field = reader.position..<reader.position + Int(length)
            if tag >> 3 == allowed {
                found.append(field)
            } else if tag >> 3 != Field.name {
                throw SardonyxError(
                    .unsupported, "", "values in field \(tag >> 3) at byte \(start)", allowed: "field \(allowed)")
            }
            reader.skip(to: field.upperBound)
        }
        return found
    }

    private func bytes(_ range: Range<Int>) throws(SardonyxError) -> [UInt8] {
        guard range.count <= 1 << 30 else {
            throw SardonyxError(.limit, "", "tensor", got: "\(range.count) bytes", allowed: "at most 2^30")
        }
        var bytes = [UInt8](repeating: 0, count: range.count)
        var fault: SardonyxError?
        bytes.withUnsafeMutableBytes { memory in
            guard let start = memory.baseAddress else { return }
            do throws(SardonyxError) {
                try source.read(range.count, at: range.lowerBound, into: start)
            } catch { fault = error }
        }
        if let fault { throw fault }
        return bytes
    }
}
