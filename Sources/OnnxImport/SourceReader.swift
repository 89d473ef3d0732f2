import TensorCore

/// Sequential reading of a source through a window, so that no more than the window is in memory.
struct SourceReader: ~Copyable {
    static let windowByteCount = 1 << 16

    let source: ModelSource
    /// The next byte to be read.
    private(set) var position: Int
    private let window: UnsafeMutableRawPointer
    private var windowStart = 0
    private var windowEnd = 0

    init(_ source: ModelSource, at position: Int = 0) {
        self.source = source
        self.position = position
        self.window = .allocate(byteCount: SourceReader.windowByteCount, alignment: 64)
    }

    deinit { window.deallocate() }

    /// Moves on without reading.
    mutating func skip(to position: Int) { self.position = position }

    /// The bytes from the position on that are in the window, at least one and none beyond `end`.
    private mutating func available(before end: Int) throws(SardonyxError) -> UnsafeRawBufferPointer {
        if position < windowStart || position >= windowEnd {
            let count = min(SourceReader.windowByteCount, source.byteCount - position)
            try source.read(max(count, 1), at: position, into: window)
            windowStart = position
            windowEnd = position + count
        }
        return UnsafeRawBufferPointer(start: window + (position - windowStart), count: min(end, windowEnd) - position)
    }

    @inline(__always)
    mutating func byte() throws(SardonyxError) -> UInt8 {
        if position < windowStart || position >= windowEnd { _ = try available(before: position + 1) }
        let byte = window.load(fromByteOffset: position - windowStart, as: UInt8.self)
        position += 1
        return byte
    }

    /// A base-128 number of at most 10 bytes; `nil` if it is longer or does not end before `end`.
    mutating func varint(before end: Int) throws(SardonyxError) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 70 {
            let byte = try byte()
            value |= shift < 64 ? UInt64(byte & 0x7f) << shift : 0
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// Little-endian bytes as a number.
    mutating func fixed(byteCount: Int) throws(SardonyxError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<byteCount { value |= UInt64(try byte()) << UInt64(8 * index) }
        return value
    }

    /// Appends the next `count` bytes.
    mutating func copy(_ count: Int, to bytes: inout [UInt8]) throws(SardonyxError) {
        let end = position + count
        while position < end {
            let piece = try available(before: end)
            bytes.append(contentsOf: piece)
            position += piece.count
        }
    }

    /// How many base-128 numbers the bytes up to `end` hold; `nil` if the last one is cut or one is too long.
    mutating func countVarints(upTo end: Int) throws(SardonyxError) -> Int? {
        var count = 0
        var length = 0
        while position < end {
            let piece = try available(before: end)
            for byte in piece {
                length += 1
                guard length <= 10 else { return nil }
                if byte < 0x80 {
                    count += 1
                    length = 0
                }
            }
            position += piece.count
        }
        return length == 0 ? count : nil
    }
}
