import TensorCore

/// A zip archive in memory (PKWARE APPNOTE 6.3): stored and deflated entries, zip64, one disk, not encrypted.
struct ZipReader {
    struct Entry: Sendable {
        let name: String
        let method: UInt16
        let checksum: UInt32
        let compressedSize: Int
        let size: Int
        let headerOffset: Int
    }

    let entries: [Entry]
    private let buffer: Buffer
    private let count: Int

    /// - Throws: `input` for what is no zip archive or a damaged one, `unsupported` for encrypted entries.
    init(buffer: Buffer, count: Int) throws(SardonyxError) {
        self.buffer = buffer
        self.count = count
        let view = ByteView(bytes: UnsafeRawBufferPointer(start: buffer.pointer, count: count))
        defer { withExtendedLifetime(buffer) {} }
        var (number, offset) = try ZipReader.directory(view)
        var entries: [Entry] = []
        while number > 0 {
            let (entry, length) = try ZipReader.entry(view, at: offset)
            entries.append(entry)
            offset += length
            number -= 1
        }
        self.entries = entries
    }

    /// The contents of an entry, inflated and held against their checksum.
    func contents(_ entry: Entry) throws(SardonyxError) -> (buffer: Buffer, offset: Int, count: Int) {
        defer { withExtendedLifetime(buffer) {} }
        let view = ByteView(bytes: UnsafeRawBufferPointer(start: buffer.pointer, count: count))
        guard try view.integer(entry.headerOffset, UInt32.self) == 0x0403_4b50 else {
            throw SardonyxError(.input, "", "no entry header at byte \(entry.headerOffset)")
        }
        let nameLength = Int(try view.integer(entry.headerOffset + 26, UInt16.self))
        let extraLength = Int(try view.integer(entry.headerOffset + 28, UInt16.self))
        let start = entry.headerOffset + 30 + nameLength + extraLength
        let stored = try view.slice(start, entry.compressedSize)
        let result: (buffer: Buffer, offset: Int, count: Int)
        switch entry.method {
        case 0:
            guard entry.size == entry.compressedSize else {
                throw SardonyxError(
                    .input, "", "sizes of a stored entry", got: "\(entry.size) and \(entry.compressedSize)",
                    allowed: "equal")
            }
            result = (buffer, start, entry.size)
        case 8: result = (try Deflate.inflated(stored, count: entry.size), 0, entry.size)
        default:
            throw SardonyxError(
                .unsupported, "", "compression method", got: "\(entry.method)", allowed: "0 (stored), 8 (deflated)")
        }
        let sum = Deflate.checksum(
            UnsafeRawBufferPointer(start: result.buffer.pointer + result.offset, count: result.count))
        guard sum == entry.checksum else {
            throw SardonyxError(.input, "", "checksum", got: "\(sum)", allowed: "\(entry.checksum)")
        }
        return result
    }

    /// The number of entries and where the central directory starts.
    private static func directory(_ view: ByteView) throws(SardonyxError) -> (number: Int, offset: Int) {
        // The end record is 22 bytes and a comment of at most 65,535.
        var end = view.bytes.count - 22
        let lowest = max(0, end - 65535)
        while end >= lowest {
            if try view.integer(end, UInt32.self) == 0x0605_4b50,
                Int(try view.integer(end + 20, UInt16.self)) == view.bytes.count - end - 22
            {
                break
            }
            end -= 1
        }
        guard end >= lowest else { throw SardonyxError(.input, "", "not a zip archive (.npz): no end record") }
        let number = Int(try view.integer(end + 10, UInt16.self))
        let offset = Int(try view.integer(end + 16, UInt32.self))
        guard number == 0xffff || offset == 0xffff_ffff, end >= 20,
            try view.integer(end - 20, UInt32.self) == 0x0706_4b50
        else { return (number, offset) }
        let record = try size(view, end - 12)
        guard try view.integer(record, UInt32.self) == 0x0606_4b50 else {
            throw SardonyxError(.input, "", "no zip64 end record at byte \(record)")
        }
        return (try size(view, record + 32), try size(view, record + 48))
    }

    private static func entry(_ view: ByteView, at offset: Int) throws(SardonyxError) -> (Entry, length: Int) {
        guard try view.integer(offset, UInt32.self) == 0x0201_4b50 else {
            throw SardonyxError(.input, "", "no directory entry at byte \(offset)")
        }
        guard try view.integer(offset + 8, UInt16.self) & 1 == 0 else {
            throw SardonyxError(.unsupported, "", "encrypted entries")
        }
        let nameLength = Int(try view.integer(offset + 28, UInt16.self))
        let extraLength = Int(try view.integer(offset + 30, UInt16.self))
        let commentLength = Int(try view.integer(offset + 32, UInt16.self))
        let bytes = try view.slice(offset + 46, nameLength)
        guard let name = String(validating: bytes, as: UTF8.self) else {
            throw SardonyxError(.input, "", "the name of an entry is not UTF-8")
        }
        var sizes = [
            Int(try view.integer(offset + 24, UInt32.self)), Int(try view.integer(offset + 20, UInt32.self)),
            Int(try view.integer(offset + 42, UInt32.self)),
        ]
        if sizes.contains(0xffff_ffff) {
            try widen(&sizes, view, from: offset + 46 + nameLength, length: extraLength)
        }
        let entry = Entry(
            name: name, method: try view.integer(offset + 10, UInt16.self),
            checksum: try view.integer(offset + 16, UInt32.self), compressedSize: sizes[1], size: sizes[0],
            headerOffset: sizes[2])
        // Nothing past the file's end can be meant; this also keeps offsets far from overflow.
        guard entry.headerOffset <= view.bytes.count, entry.compressedSize <= view.bytes.count else {
            throw SardonyxError(.input, "entry '\(name)'", "lies outside the file", got: "\(sizes)")
        }
        return (entry, 46 + nameLength + extraLength + commentLength)
    }

    /// Replaces the sizes that 32 bits do not hold by those of the zip64 extra field.
    private static func widen(
        _ sizes: inout [Int], _ view: ByteView, from start: Int, length: Int
    ) throws(SardonyxError) {
        var field = start
        while field + 4 <= start + length {
            let identifier = try view.integer(field, UInt16.self)
            let fieldLength = Int(try view.integer(field + 2, UInt16.self))
            guard identifier == 1 else {
                field += 4 + fieldLength
                continue
            }
            var at = field + 4
            for index in sizes.indices where sizes[index] == 0xffff_ffff {
                sizes[index] = try size(view, at)
                at += 8
            }
            return
        }
        throw SardonyxError(.input, "", "an entry's zip64 sizes are missing")
    }

    /// A 64-bit size, which must fit in an `Int`.
    private static func size(_ view: ByteView, _ offset: Int) throws(SardonyxError) -> Int {
        let value = try view.integer(offset, UInt64.self)
        guard let size = Int(exactly: value) else {
            throw SardonyxError(.input, "", "zip64 size", got: "\(value)", allowed: "at most \(Int.max)")
        }
        return size
    }
}
