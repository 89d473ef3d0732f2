import TensorCore

/// Builds a zip archive, entry by entry.
struct ZipWriter {
    private var pieces: [[UInt8]] = []
    private var directory: [UInt8] = []
    private var offset = 0
    private var number = 0

    /// - Throws: `limit` for more than the format's 32 bits hold or when there is no memory.
    mutating func append(_ name: String, _ contents: [UInt8], deflated: Bool) throws(SardonyxError) {
        let stored = deflated ? try Deflate.deflated(contents) : contents
        guard let size = UInt32(exactly: contents.count), let storedSize = UInt32(exactly: stored.count),
            let start = UInt32(exactly: offset), let nameLength = UInt16(exactly: name.utf8.count), number < 0xfffe
        else {
            throw SardonyxError(
                .limit, "entry '\(name)'", "archive size", got: "\(contents.count) bytes at \(offset)",
                allowed: "4 GiB and 65534 entries")
        }
        var common: [UInt8] = []
        common.add(UInt16(20))  // version 2.0 reads it
        common.add(UInt16(0x0800))  // the name is UTF-8
        common.add(UInt16(deflated ? 8 : 0))
        common.add(UInt16(0))  // midnight …
        common.add(UInt16(0x21))  // … of 1 January 1980: archives of equal contents are equal
        common.add(contents.withUnsafeBytes { Deflate.checksum($0) })
        common.add(storedSize)
        common.add(size)
        common.add(nameLength)
        common.add(UInt16(0))  // no extra field

        var header: [UInt8] = []
        header.add(UInt32(0x0403_4b50))
        header += common + name.utf8
        directory.add(UInt32(0x0201_4b50))
        directory.add(UInt16(20))
        directory += common
        directory += [UInt8](repeating: 0, count: 10)  // comment, disk, attributes
        directory.add(start)
        directory += name.utf8
        pieces += [header, stored]
        offset += header.count + stored.count
        number += 1
    }

    /// The archive's bytes in pieces.
    /// - Throws: `limit` for more than the format's 32 bits hold.
    func finish() throws(SardonyxError) -> [[UInt8]] {
        guard let start = UInt32(exactly: offset), let size = UInt32(exactly: directory.count) else {
            throw SardonyxError(.limit, "", "archive size", got: "\(offset) bytes", allowed: "4 GiB")
        }
        var end: [UInt8] = []
        end.add(UInt32(0x0605_4b50))
        end.add(UInt32(0))
        end.add(UInt16(truncatingIfNeeded: number))
        end.add(UInt16(truncatingIfNeeded: number))
        end.add(size)
        end.add(start)
        end.add(UInt16(0))
        return pieces + [directory, end]
    }
}

extension [UInt8] {
    /// Appends the number, low byte first.
    fileprivate mutating func add(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
