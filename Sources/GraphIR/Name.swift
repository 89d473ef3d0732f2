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

    /// For messages: control bytes escaped, cut at 128 bytes.
    package var description: String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(128), as: UTF8.self).unicodeScalars {
            if scalar.value < 0x20 || scalar.value == 0x7f {
                text += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return bytes.count > 128 ? text + "…" : text
    }
}
