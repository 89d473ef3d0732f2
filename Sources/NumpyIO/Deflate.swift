import CZlib
import TensorCore

/// Raw deflate streams (RFC 1951) by zlib.
enum Deflate {
    /// The most that a byte of a deflate stream can stand for.
    private static let maximumRatio = 1032
    /// zlib counts in 32 bits.
    private static let step = 1 << 30

    /// Inflates into exactly `count` bytes.
    /// - Throws: `input` if the stream is damaged or gives another count, `limit` when there is no memory.
    static func inflated(_ source: UnsafeRawBufferPointer, count: Int) throws(SardonyxError) -> Buffer {
        guard let most = CheckedSize.product(source.count, maximumRatio), count <= most else {
            throw SardonyxError(
                .input, "", "impossible size", got: "\(count) bytes",
                allowed: "\(maximumRatio) times the \(source.count) stored")
        }
        let buffer = try Buffer(byteCount: count)
        var stream = z_stream()
        guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw SardonyxError(.limit, "", "zlib has no memory")
        }
        defer { inflateEnd(&stream) }
        let input = source.bindMemory(to: UInt8.self)
        let output = buffer.pointer.assumingMemoryBound(to: UInt8.self)
        var (read, written) = (0, 0)
        var status = Z_OK
        while status == Z_OK {
            let given = min(source.count - read, step)
            let room = min(count - written, step)
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { $0 + read })
            stream.avail_in = UInt32(given)
            stream.next_out = output + written
            stream.avail_out = UInt32(room)
            status = inflate(&stream, Z_NO_FLUSH)
            read += given - Int(stream.avail_in)
            written += room - Int(stream.avail_out)
        }
        guard status == Z_STREAM_END, written == count else {
            throw SardonyxError(.input, "", "damaged deflate stream", got: "\(written) bytes", allowed: "\(count)")
        }
        return buffer
    }

    /// The bytes as a deflate stream.
    /// - Throws: `limit` when there is no memory.
    static func deflated(_ source: [UInt8]) throws(SardonyxError) -> [UInt8] {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            throw SardonyxError(.limit, "", "zlib has no memory")
        }
        defer { deflateEnd(&stream) }
        var result = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(source.count))))
        var (read, written) = (0, 0)
        var status = Z_OK
        source.withUnsafeBufferPointer { input in
            result.withUnsafeMutableBufferPointer { output in
                while status == Z_OK {
                    let given = min(input.count - read, step)
                    let room = min(output.count - written, step)
                    stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { $0 + read })
                    stream.avail_in = UInt32(given)
                    stream.next_out = output.baseAddress.map { $0 + written }
                    stream.avail_out = UInt32(room)
                    status = deflate(&stream, read + given == input.count ? Z_FINISH : Z_NO_FLUSH)
                    read += given - Int(stream.avail_in)
                    written += room - Int(stream.avail_out)
                }
            }
        }
        guard status == Z_STREAM_END else {
            throw SardonyxError(.internal, "deflate", "zlib refused", got: "status \(status)")
        }
        result.removeLast(result.count - written)
        return result
    }

    /// CRC-32 as zip files use it.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }
}
