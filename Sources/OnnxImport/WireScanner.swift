import GraphIR
import TensorCore

/// The walk behind `WireScan`: one loop over fields with its own stack, so that depth costs no call stack.
struct WireScanner: ~Copyable {
    typealias Schema = WireSchema

    /// A message that is being read.
    struct Frame {
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
    let budget: Int
    var reader: SourceReader
    var stack: [Frame] = []
    private var occurrences: [Int32] = []
    private var subgraphDepth = -1
    var unpackedByteCount = 0
    var skeleton: [UInt8] = []
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
}
