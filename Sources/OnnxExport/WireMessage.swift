import GraphIR
import TensorCore

/// A part of an encoded message.
enum WirePiece {
    case bytes([UInt8])
    /// The elements of a tensor as `raw_data`, read when they are written.
    case elements(Constant)
}

/// A protobuf message under construction.
///
/// Elements of tensors stay where they are: only their count of bytes is known, so that a model is written with one
/// tensor in memory at a time, whatever its size.
struct WireMessage {
    private var closed: [WirePiece] = []
    private var open: [UInt8] = []
    /// What the message takes when it is written.
    private(set) var byteCount = 0

    var pieces: [WirePiece] { open.isEmpty ? closed : closed + [.bytes(open)] }

    // MARK: Fields

    mutating func number(_ field: Int, _ value: Int) {
        varint(UInt64(field) << 3)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func float(_ field: Int, _ value: Float) {
        varint(UInt64(field) << 3 | 5)
        append(withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
    }

    mutating func bytes(_ field: Int, _ value: [UInt8]) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(value.count))
        append(value)
    }

    /// A string; an empty one is left out.
    mutating func text(_ field: Int, _ value: String) {
        if !value.isEmpty { bytes(field, Array(value.utf8)) }
    }

    mutating func message(_ field: Int, _ value: WireMessage) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(value.byteCount))
        for piece in value.closed { append(piece, byteCount: 0) }
        open += value.open
        byteCount = CheckedSize.sum(byteCount, value.byteCount) ?? .max
    }

    mutating func elements(_ field: Int, _ constant: Constant, byteCount: Int) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(byteCount))
        append(.elements(constant), byteCount: byteCount)
    }

    // MARK: Pieces

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            open.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
            byteCount += 1
        }
        open.append(UInt8(rest))
        byteCount += 1
    }

    private mutating func append(_ bytes: [UInt8]) {
        open += bytes
        byteCount = CheckedSize.sum(byteCount, bytes.count) ?? .max
    }

    private mutating func append(_ piece: WirePiece, byteCount count: Int) {
        if case .bytes(let bytes) = piece {
            open += bytes
        } else {
            if !open.isEmpty { closed.append(.bytes(open)) }
            open = []
            closed.append(piece)
        }
        byteCount = CheckedSize.sum(byteCount, count) ?? .max
    }
}
