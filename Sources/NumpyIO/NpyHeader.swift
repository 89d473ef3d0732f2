import TensorCore

/// The text before the elements of an `.npy` file (NumPy enhancement proposal 1, format versions 1.0 to 3.0).
struct NpyHeader {
    var type: NpyType
    var isFortranOrder: Bool
    var shape: Shape

    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Reads the header and says where the elements start.
    /// - Throws: `input` for text that is no header, `unsupported` for another version or element type.
    static func decode(_ view: ByteView) throws(SardonyxError) -> (header: NpyHeader, dataOffset: Int) {
        guard try view.slice(0, magic.count).elementsEqual(magic) else {
            throw SardonyxError(.input, "", "not an .npy file: it does not start with \\x93NUMPY")
        }
        let version = try view.integer(6, UInt8.self)
        guard (1...3).contains(version) else {
            throw SardonyxError(.unsupported, "", ".npy format version", got: "\(version)", allowed: "1 to 3")
        }
        let start = version == 1 ? 10 : 12
        let length = version == 1 ? Int(try view.integer(8, UInt16.self)) : Int(try view.integer(8, UInt32.self))
        guard length <= 1 << 20 else {
            throw SardonyxError(.input, "", "header length", got: "\(length)", allowed: "at most 1 MiB")
        }
        var parser = HeaderParser(text: Array(try view.slice(start, length)))
        return (try parser.parse(), start + length)
    }

    /// The bytes before the elements; their count is a multiple of 64.
    /// - Parameter width: of text, in characters.
    static func encode(_ dtype: DType, _ shape: Shape, width: Int = 1) throws(SardonyxError) -> [UInt8] {
        let dims = shape.dims.map(String.init).joined(separator: ", ") + (shape.rank == 1 ? "," : "")
        let text =
            "{'descr': '\(try NpyType.descriptor(of: dtype, width: width))', 'fortran_order': False, 'shape': (\(dims)), }"
        // A rank of at most 64 keeps the text far below the 65,535 bytes of version 1.
        let total = (10 + text.utf8.count + 1 + 63) / 64 * 64
        var bytes = magic + [1, 0]
        withUnsafeBytes(of: UInt16(truncatingIfNeeded: total - 10).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: text.utf8)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: total - 1 - bytes.count))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}

/// Reads the Python dictionary with the keys `descr`, `fortran_order` and `shape`.
private struct HeaderParser {
    let text: [UInt8]
    var position = 0

    init(text: [UInt8]) { self.text = text }

    mutating func parse() throws(SardonyxError) -> NpyHeader {
        var descriptor: String?
        var isFortranOrder: Bool?
        var dims: [Int]?
        try expect("{")
        while !skip("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where descriptor == nil:
                guard peek() == UInt8(ascii: "'") || peek() == UInt8(ascii: "\"") else {
                    throw SardonyxError(.unsupported, "", "structured element types")
                }
                descriptor = try string()
            case "fortran_order" where isFortranOrder == nil: isFortranOrder = try flag()
            case "shape" where dims == nil: dims = try tuple()
            default: throw malformed("key '\(key)'")
            }
            if !skip(",") {
                try expect("}")
                break
            }
        }
        guard let descriptor, let isFortranOrder, let dims else {
            throw SardonyxError(.input, "", ".npy header", allowed: "the keys descr, fortran_order, shape")
        }
        return NpyHeader(
            type: try NpyType(descriptor: descriptor), isFortranOrder: isFortranOrder, shape: try Shape(dims))
    }

    private mutating func peek() -> UInt8? {
        while position < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[position]) { position += 1 }
        return position < text.count ? text[position] : nil
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(SardonyxError) {
        guard skip(character) else { throw malformed("expected '\(character)'") }
    }

    private mutating func string() throws(SardonyxError) -> String {
        guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw malformed("expected a string")
        }
        position += 1
        guard let end = text[position...].firstIndex(of: quote) else { throw malformed("a string does not end") }
        defer { position = end + 1 }
        return String(decoding: text[position..<end], as: UTF8.self)
    }

    private mutating func flag() throws(SardonyxError) -> Bool {
        _ = peek()
        for (word, value) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw malformed("expected True or False")
    }

    private mutating func tuple() throws(SardonyxError) -> [Int] {
        var dims: [Int] = []
        try expect("(")
        while !skip(")") {
            guard peek() != nil else { throw malformed("expected a number") }
            let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard let value = Int(String(decoding: digits, as: UTF8.self)) else { throw malformed("expected a number") }
            position += digits.count
            dims.append(value)
            if !skip(",") {
                try expect(")")
                break
            }
        }
        return dims
    }

    private func malformed(_ what: String) -> SardonyxError {
        SardonyxError(.input, "", ".npy header, byte \(position): \(what)")
    }
}
