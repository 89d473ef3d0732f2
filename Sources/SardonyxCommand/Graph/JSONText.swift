/// JSON written piece by piece, for large regular data.
///
/// What it writes may stand inside an HTML script element: `<`, `>` and `&` in strings are escaped.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    /// Whether something stands before the next element.
    private var needsComma = false

    mutating func array(_ body: (inout JSONText) -> Void) { nest("[", "]", body) }

    mutating func object(_ body: (inout JSONText) -> Void) { nest("{", "}", body) }

    mutating func array<Element>(_ elements: some Sequence<Element>, _ body: (inout JSONText, Element) -> Void) {
        array { json in for element in elements { body(&json, element) } }
    }

    mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func int(_ value: Int) { raw("\(value)") }

    mutating func int(_ value: Int?) { int(value ?? -1) }

    /// One decimal.
    mutating func length(_ value: Double) {
        guard value.isFinite, value.magnitude < 1e12 else { return raw("0") }
        let tenths = Int((value * 10).rounded())
        raw(tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)")
    }

    /// Seven digits; `null` for what is no finite number.
    mutating func number(_ value: Double?) {
        guard let value, value.isFinite else { return raw("null") }
        raw(Float(value).isFinite ? "\(Float(value))" : "\(value)")
    }

    mutating func bool(_ value: Bool) { raw(value ? "1" : "0") }

    mutating func string(_ text: String) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20, 0x7f, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                bytes += "\\u00".utf8
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private mutating func raw(_ text: String) {
        comma()
        bytes += text.utf8
        needsComma = true
    }

    private mutating func comma() { if needsComma { bytes.append(UInt8(ascii: ",")) } }

    private mutating func nest(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONText) -> Void) {
        comma()
        bytes.append(UInt8(ascii: open))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }
}
