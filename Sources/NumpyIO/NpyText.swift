import TensorCore

/// NumPy's arrays of text: every element has the same width and ends at its trailing zeros.
enum NpyText {
    /// The elements in file order.
    /// - Throws: `input` for what is no Unicode scalar or no UTF-8.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, _ type: NpyType, count: Int, into memory: UnsafeMutablePointer<String>
    ) throws(SardonyxError) {
        for index in 0..<count {
            let element = UnsafeRawBufferPointer(
                rebasing: bytes[index * type.elementSize..<(index + 1) * type.elementSize])
            guard let text = type.text == .utf32 ? utf32(element, type.isBigEndian) : utf8(element) else {
                throw SardonyxError(
                    .input, "", "element \(index)", got: "bytes that are no text", allowed: "Unicode scalars")
            }
            memory[index] = text
        }
    }

    /// Elements of one width, as many as the longest needs.
    /// - Throws: `limit` when there are too many bytes.
    static func encode(_ elements: UnsafeBufferPointer<String>) throws(SardonyxError) -> (width: Int, bytes: [UInt8]) {
        let width = max(1, elements.reduce(0) { max($0, $1.unicodeScalars.count) })
        guard let count = CheckedSize.product(width, 4, elements.count), count <= 1 << 32 else {
            throw SardonyxError(
                .limit, "", "text of \(elements.count) elements of the longest one's length",
                got: "\(width) characters",
                allowed: "4 GiB in all")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for element in elements {
            var length = 0
            for scalar in element.unicodeScalars {
                withUnsafeBytes(of: scalar.value.littleEndian) { bytes.append(contentsOf: $0) }
                length += 1
            }
            bytes.append(contentsOf: repeatElement(0, count: 4 * (width - length)))
        }
        return (width, bytes)
    }

    private static func utf32(_ bytes: UnsafeRawBufferPointer, _ isBigEndian: Bool) -> String? {
        var scalars = String.UnicodeScalarView()
        var zeros = 0
        for offset in stride(from: 0, to: bytes.count, by: 4) {
            let stored = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            let code = isBigEndian ? UInt32(bigEndian: stored) : UInt32(littleEndian: stored)
            guard let scalar = Unicode.Scalar(code) else { return nil }
            if code == 0 {
                zeros += 1
                continue
            }
            scalars.append(contentsOf: repeatElement("\0" as Unicode.Scalar, count: zeros))
            zeros = 0
            scalars.append(scalar)
        }
        return String(scalars)
    }

    private static func utf8(_ bytes: UnsafeRawBufferPointer) -> String? {
        let end = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        return String(validating: bytes[..<end], as: UTF8.self)
    }
}
