import GraphIR
import TensorCore

/// The walk behind `WireScan`: one loop over fields with its own stack, so that depth costs no call stack.
struct WireScanner: ~Copyable {
    private typealias Schema = WireSchema

    /// A message that is being read.
    private struct Frame {
        let message: Int
        /// The field of the enclosing message and its ordinal there.
        let field: String
        let ordinal: Int?
        let start: Int
        let end: Int
        /// Where the skeleton holds this message's length.
        let lengthAt: Int
        /// Occurrences of each field, from this index of `occurrences`.
        let counts: Int
        var hasOneof = false
        var hasOperator = false
        /// Index of the tensor.
        var tensor = -1
    }

    private let schema = WireSchema.shared
    private let budget: Int
    private var reader: SourceReader
    private var stack: [Frame] = []
    private var occurrences: [Int32] = []
    private var subgraphDepth = -1
    private var unpackedByteCount = 0
    private var skeleton: [UInt8] = []
    private var tensors: [TensorExtent] = []

    init(_ source: ModelSource) {
        self.reader = SourceReader(source)
        self.budget = WireScan.unpackingBudget(source.byteCount)
    }

    consuming func result() -> (skeleton: [UInt8], tensors: [TensorExtent]) { (skeleton, tensors) }

    mutating func scan() throws(SardonyxError) {
        try push(message: 0, field: "", ordinal: nil, end: reader.source.byteCount, lengthAt: -1, at: 0)
        while let frame = stack.last {
            if reader.position < frame.end {
                try field(of: frame)
            } else {
                try pop(frame)
            }
        }
    }

    // MARK: Fields

    private mutating func field(of frame: Frame) throws(SardonyxError) {
        let start = reader.position
        guard let tag = try reader.varint(before: frame.end) else {
            throw fault("the tag of a field is cut or too long", at: start)
        }
        let id = tag >> 3
        guard id > 0, id < 1 << 29 else { throw fault("impossible field number", at: start, got: "\(id)") }
        guard let wireType = Schema.WireType(rawValue: UInt8(tag & 7)) else {
            throw fault(
                "field \(id) has an impossible wire type", at: start, got: "\(tag & 7)", allowed: "0, 1, 2 or 5")
        }
        let known = schema.messages[frame.message].field(id)
        let count: Int
        switch wireType {
        case .fixed32: count = 4
        case .fixed64: count = 8
        case .varint: count = 0
        case .lengthDelimited:
            guard let length = try reader.varint(before: frame.end), let fits = Int(exactly: length) else {
                throw fault("the length of \(describe(known, id)) is cut or too large", at: start)
            }
            count = fits
        }
        guard count <= frame.end - reader.position else {
            throw fault(
                "\(describe(known, id)) runs past the end of \(stack.count == 1 ? "the file" : "'\(frame.field)'")",
                at: start,
                got: "\(count) bytes needed, \(frame.end - reader.position) left")
        }
        guard let known else {
            if wireType == .varint {
                guard try reader.varint(before: frame.end) != nil else {
                    throw fault("field \(id) is cut or too long", at: start)
                }
            }
            reader.skip(to: reader.position + count)
            return
        }
        try read(known, wireType, count: count, in: frame, at: start)
    }

    private mutating func read(
        _ field: Schema.Field, _ wireType: Schema.WireType, count: Int, in frame: Frame, at start: Int
    ) throws(SardonyxError) {
        let occurrence = occurrences[frame.counts + field.index]
        occurrences[frame.counts + field.index] += 1
        if field.isInOneof {
            guard !stack[stack.count - 1].hasOneof else {
                throw fault("'\(field.name)' beside another choice of its kind", at: start)
            }
            stack[stack.count - 1].hasOneof = true
        }
        switch field.role {
        case .number(let expected):
            if wireType == .lengthDelimited, field.isRepeated {
                let first = reader.position
                unpackedByteCount += 8 * (try countPacked(expected, field, count, at: start))
                reader.skip(to: first)
                try emit(field, count)
            } else {
                try expect(expected, wireType, field, at: start)
                emitTag(field, wireType)
                if wireType == .varint {
                    guard let value = try reader.varint(before: frame.end) else {
                        throw fault("'\(field.name)' is cut or too long", at: start)
                    }
                    emitVarint(value)
                } else {
                    try reader.copy(count, to: &skeleton)
                }
                unpackedByteCount += 8
            }
        case .string(let isDocumentation):
            try expect(.lengthDelimited, wireType, field, at: start)
            let from = try emit(field, count)
            if !isDocumentation { try checkText(from, field, at: start) }
            if field.name == "op_type", count > 0 { stack[stack.count - 1].hasOperator = true }
        case .bytes:
            try expect(.lengthDelimited, wireType, field, at: start)
            try emit(field, count)
        case .payload(let payload, let number):
            try self.payload(payload, number, field, wireType, count, tensor: frame.tensor, at: start)
        case .message(let message):
            try expect(.lengthDelimited, wireType, field, at: start)
            guard field.isRepeated || occurrence == 0 else { throw fault("'\(field.name)' occurs twice", at: start) }
            emitTag(field, .lengthDelimited)
            let lengthAt = skeleton.count
            skeleton.append(contentsOf: [0x80, 0x80, 0x80, 0x80, 0])
            try push(
                message: message, field: field.name, ordinal: field.isRepeated ? Int(occurrence) : nil,
                end: reader.position + count, lengthAt: lengthAt, at: start)
        }
        try checkBudget(at: start)
    }

    /// Records elements of a tensor and passes over them.
    private mutating func payload(
        _ payload: Schema.Payload, _ number: Schema.WireType?, _ field: Schema.Field, _ wireType: Schema.WireType,
        _ count: Int,
        tensor: Int, at start: Int
    ) throws(SardonyxError) {
        let first = reader.position
        switch number {
        case nil:
            try expect(.lengthDelimited, wireType, field, at: start)
            if payload == .raw {
                guard tensors[tensor].raw == nil else { throw fault("'raw_data' occurs twice", at: start) }
                tensors[tensor].raw = first..<(first + count)
            }
            tensors[tensor][payload] += payload == .raw ? count : 1
            reader.skip(to: first + count)
        case let size? where wireType == .lengthDelimited:
            tensors[tensor][payload] += try countPacked(size, field, count, at: start)
        case let size?:
            try expect(size, wireType, field, at: start)
            try skipNumber(size, field, before: stack[stack.count - 1].end, at: start)
            tensors[tensor][payload] += 1
        }
    }

    // MARK: Messages

    private mutating func push(
        message: Int, field: String, ordinal: Int?, end: Int, lengthAt: Int, at start: Int
    ) throws(SardonyxError) {
        let layout = schema.messages[message]
        if layout.kind == .graph {
            subgraphDepth += 1
            guard subgraphDepth <= ModelGraph.maximumSubgraphDepth else {
                throw SardonyxError(
                    .limit, place(), "subgraph depth at byte \(start)", got: "\(subgraphDepth)",
                    allowed: "\(ModelGraph.maximumSubgraphDepth)")
            }
        }
        guard stack.count <= WireScan.maximumDepth else {
            throw SardonyxError(
                .limit, place(), "message depth at byte \(start)", got: "\(stack.count)",
                allowed: "\(WireScan.maximumDepth)")
        }
        var frame = Frame(
            message: message, field: field, ordinal: ordinal, start: reader.position, end: end, lengthAt: lengthAt,
            counts: occurrences.count)
        occurrences.append(contentsOf: repeatElement(0, count: layout.fieldCount))
        unpackedByteCount += layout.byteCount + 16
        if layout.kind == .tensor {
            frame.tensor = tensors.count
            tensors.append(TensorExtent(start: reader.position))
            unpackedByteCount += MemoryLayout<TensorExtent>.stride
        }
        stack.append(frame)
    }

    private mutating func pop(_ frame: Frame) throws(SardonyxError) {
        switch schema.messages[frame.message].kind {
        case .graph: subgraphDepth -= 1
        case .node where !frame.hasOperator:
            throw SardonyxError(
                .graph, place(), "node \(frame.ordinal ?? 0) has no op_type", got: "bytes \(frame.start)..<\(frame.end)"
            )
        case .tensor:
            tensors[frame.tensor].body = frame.start..<frame.end
            // raw_data is field 9: tag 0x4a, length 4, the index.
            skeleton.append(contentsOf: [0x4a, 4])
            withUnsafeBytes(of: UInt32(frame.tensor).littleEndian) { skeleton.append(contentsOf: $0) }
        default: break
        }
        if frame.lengthAt >= 0 {
            // Five bytes of base 128 whatever the value, so that nothing behind them moves.
            let length = skeleton.count - frame.lengthAt - 5
            for index in 0..<5 {
                skeleton[frame.lengthAt + index] = UInt8(length >> (7 * index) & 0x7f) | (index < 4 ? 0x80 : 0)
            }
        }
        occurrences.removeLast(occurrences.count - frame.counts)
        stack.removeLast()
    }

    // MARK: Checks

    private func expect(
        _ expected: Schema.WireType, _ got: Schema.WireType, _ field: Schema.Field, at start: Int
    ) throws(SardonyxError) {
        guard got == expected else {
            throw fault("'\(field.name)' has another wire type", at: start, got: "\(got)", allowed: "\(expected)")
        }
    }

    /// Passes over packed numbers, which must fill their field exactly, and counts them.
    private mutating func countPacked(
        _ number: Schema.WireType, _ field: Schema.Field, _ count: Int, at start: Int
    ) throws(SardonyxError) -> Int {
        let end = reader.position + count
        let size = number == .fixed64 ? 8 : 4
        let entries = number == .varint ? try reader.countVarints(upTo: end) : count % size == 0 ? count / size : nil
        guard let entries else {
            throw fault(
                "'\(field.name)' ends within a number or has one that is too long", at: start, got: "\(count) bytes")
        }
        reader.skip(to: end)
        return entries
    }

    private mutating func skipNumber(
        _ number: Schema.WireType, _ field: Schema.Field, before end: Int, at start: Int
    ) throws(SardonyxError) {
        if number == .varint {
            guard try reader.varint(before: end) != nil else {
                throw fault("'\(field.name)' is cut or too long", at: start)
            }
        } else {
            reader.skip(to: reader.position + (number == .fixed64 ? 8 : 4))
        }
    }

    /// The unpacked form of a string ends at a NUL, and two invalid strings may look like one.
    private func checkText(_ from: Int, _ field: Schema.Field, at start: Int) throws(SardonyxError) {
        let text = skeleton[from...]
        guard !text.contains(0), String(validating: text, as: UTF8.self) != nil else {
            throw SardonyxError(
                .graph, place(),
                "'\(field.name)' at byte \(start) \(text.contains(0) ? "holds a NUL byte" : "is not UTF-8")",
                got: "'\(Name(bytes: Array(text)))'")
        }
    }

    private func checkBudget(at start: Int) throws(SardonyxError) {
        guard unpackedByteCount <= budget, skeleton.count <= min(budget, WireScan.maximumByteCount) else {
            throw SardonyxError(
                .limit, place(), "memory for the model's structure at byte \(start)", got: "more than \(budget) bytes",
                allowed: "\(budget)")
        }
    }

    // MARK: Skeleton

    /// Copies a length-delimited field; returns where its bytes begin in the skeleton.
    @discardableResult
    private mutating func emit(_ field: Schema.Field, _ count: Int) throws(SardonyxError) -> Int {
        emitTag(field, .lengthDelimited)
        emitVarint(UInt64(count))
        let from = skeleton.count
        try reader.copy(count, to: &skeleton)
        unpackedByteCount += count + 16
        return from
    }

    private mutating func emitTag(_ field: Schema.Field, _ wireType: Schema.WireType) {
        emitVarint(UInt64(field.id) << 3 | UInt64(wireType.rawValue))
    }

    private mutating func emitVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            skeleton.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        skeleton.append(UInt8(rest))
    }

    // MARK: Messages for people

    private func describe(_ field: Schema.Field?, _ id: UInt64) -> String {
        field.map { "'\($0.name)'" } ?? "field \(id)"
    }

    /// For example `model.onnx: graph.node[3].attribute[0]`; deep paths are cut in the middle.
    private func place() -> String {
        var parts = stack.dropFirst().map { frame in frame.ordinal.map { "\(frame.field)[\($0)]" } ?? frame.field }
        if parts.count > 12 { parts.replaceSubrange(6..<(parts.count - 6), with: ["…"]) }
        return parts.isEmpty ? reader.source.label : "\(reader.source.label): \(parts.joined(separator: "."))"
    }

    private func fault(_ what: String, at offset: Int, got: String? = nil, allowed: String? = nil) -> SardonyxError {
        SardonyxError(.parse, place(), "\(what) at byte \(offset)", got: got, allowed: allowed)
    }
}
