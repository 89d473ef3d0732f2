import GraphIR
import TensorCore

// What the walk checks of a field, writes to the skeleton and says about a fault.
extension WireScanner {
    func expect(
        _ expected: Schema.WireType, _ got: Schema.WireType, _ field: Schema.Field, at start: Int
    ) throws(SardonyxError) {
        guard got == expected else {
            throw fault("'\(field.name)' has another wire type", at: start, got: "\(got)", allowed: "\(expected)")
        }
    }

    /// Passes over packed numbers, which must fill their field exactly, and counts them.
    mutating func countPacked(
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

    mutating func skipNumber(
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
    func checkText(_ from: Int, _ field: Schema.Field, at start: Int) throws(SardonyxError) {
        let text = skeleton[from...]
        guard !text.contains(0), String(validating: text, as: UTF8.self) != nil else {
            throw SardonyxError(
                .graph, place(),
                "'\(field.name)' at byte \(start) \(text.contains(0) ? "holds a NUL byte" : "is not UTF-8")",
                got: "'\(Name(bytes: Array(text)))'")
        }
    }

    func checkBudget(at start: Int) throws(SardonyxError) {
        guard unpackedByteCount <= budget, skeleton.count <= min(budget, WireScan.maximumByteCount) else {
            throw SardonyxError(
                .limit, place(), "memory for the model's structure at byte \(start)", got: "more than \(budget) bytes",
                allowed: "\(budget)")
        }
    }

    // MARK: Skeleton

    /// Copies a length-delimited field; returns where its bytes begin in the skeleton.
    @discardableResult
    mutating func emit(_ field: Schema.Field, _ count: Int) throws(SardonyxError) -> Int {
        emitTag(field, .lengthDelimited)
        emitVarint(UInt64(count))
        let from = skeleton.count
        try reader.copy(count, to: &skeleton)
        unpackedByteCount += count + 16
        return from
    }

    mutating func emitTag(_ field: Schema.Field, _ wireType: Schema.WireType) {
        emitVarint(UInt64(field.id) << 3 | UInt64(wireType.rawValue))
    }

    mutating func emitVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            skeleton.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        skeleton.append(UInt8(rest))
    }

    // MARK: Messages for people

    func describe(_ field: Schema.Field?, _ id: UInt64) -> String {
        field.map { "'\($0.name)'" } ?? "field \(id)"
    }

    /// For example `model.onnx: graph.node[3].attribute[0]`; deep paths are cut in the middle.
    func place() -> String {
        var parts = stack.dropFirst().map { frame in frame.ordinal.map { "\(frame.field)[\($0)]" } ?? frame.field }
        if parts.count > 12 { parts.replaceSubrange(6..<(parts.count - 6), with: ["…"]) }
        return parts.isEmpty ? reader.source.label : "\(reader.source.label): \(parts.joined(separator: "."))"
    }

    func fault(_ what: String, at offset: Int, got: String? = nil, allowed: String? = nil) -> SardonyxError {
        SardonyxError(.parse, place(), "\(what) at byte \(offset)", got: got, allowed: allowed)
    }
}
