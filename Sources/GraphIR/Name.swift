/// A name from a model file: bytes, compared as bytes.
///
/// Swift's `String` treats different byte sequences as equal (NFC and NFD forms, invalid UTF-8), so graph names
/// are never keyed by `String`.
package struct Name: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { self.bytes = Array(text.utf8) }
    package init(stringLiteral value: StaticString) {
        self.bytes = value.withUTF8Buffer { Array($0) }
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The name as text, exact when the bytes are UTF-8.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    /// For messages: control bytes and what is not UTF-8 escaped, cut at 128 bytes.
    package var description: String {
        var shown = bytes.prefix(128)
        // Never cut within a character.
        while shown.count < bytes.count, let last = shown.last, last & 0xc0 == 0x80 || last >= 0xc0 {
            shown.removeLast()
        }
        let scalars = String(validating: shown, as: UTF8.self).map { Array($0.unicodeScalars) }
        var text = ""
        for scalar in scalars ?? shown.map({ Unicode.Scalar($0) }) {
            let isEscaped = scalar.value < 0x20 || scalar.value == 0x7f || (scalars == nil && scalar.value >= 0x80)
            if isEscaped {
                text += scalar.hexadecimalEscape
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return shown.count < bytes.count ? text + "…" : text
    }
}

extension Unicode.Scalar {
    /// How messages show what must not reach a terminal: \x1b.
    package var hexadecimalEscape: String { "\\x" + (value < 16 ? "0" : "") + String(value, radix: 16) }
}
