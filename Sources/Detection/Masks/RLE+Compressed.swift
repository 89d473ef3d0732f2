import TensorCore

/// COCO's text form of run lengths.
///
/// Each number is the count itself (the first three) or its difference from the count two places back. It is written
/// five bits at a time, low bits first, two's complement; bit 5 of a character says that more follow; 48 is added to
/// make it printable (`0` to `o`).
extension RLE {
    /// The mask in COCO's text form (`counts` of a compressed segmentation).
    public var compressed: String {
        var text = [UInt8]()
        text.reserveCapacity(counts.count * 2)
        for index in counts.indices {
            var value = Int64(counts[index])
            if index > 2 { value -= Int64(counts[index - 2]) }
            var more = true
            while more {
                let group = UInt8(truncatingIfNeeded: value & 0x1f)
                value >>= 5
                more = group & 0x10 == 0 ? value != 0 : value != -1
                text.append((more ? group | 0x20 : group) + 48)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads COCO's text form.
    /// - Throws: `value` for a character outside `0`…`o`, a cut or overlong number, a negative count, or counts that
    ///   do not sum to `width · height`.
    public init(width: Int, height: Int, compressed text: String) throws(SardonyxError) {
        var counts = [UInt32]()
        var value: Int64 = 0
        var shift: Int64 = 0
        for (offset, byte) in text.utf8.enumerated() {
            guard byte >= 48, byte < 48 + 64, shift < 40 else {
                throw SardonyxError(
                    .value, "RLE", "character \(offset) of the compressed counts", got: "byte \(byte)",
                    allowed: "'0' to 'o', at most 8 for a number")
            }
            let group = Int64(byte - 48)
            value |= (group & 0x1f) << shift
            shift += 5
            guard group & 0x20 == 0 else { continue }
            if group & 0x10 != 0 { value |= -1 << shift }
            if counts.count > 2 { value += Int64(counts[counts.count - 2]) }
            guard let count = UInt32(exactly: value) else {
                throw SardonyxError(
                    .value, "RLE", "count \(counts.count)", got: "\(value)", allowed: "0 to \(UInt32.max)")
            }
            counts.append(count)
            value = 0
            shift = 0
        }
        guard shift == 0 else {
            throw SardonyxError(.value, "RLE", "the compressed counts end inside a number")
        }
        try self.init(width: width, height: height, counts: counts)
    }
}
