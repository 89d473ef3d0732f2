import CWebP
import TensorCore

/// WebP by libwebp: lossy and lossless still pictures, alpha dropped.
package enum WebPCodec {
    package static func decode(
        _ bytes: [UInt8], reserve: DecodedPicture.Reserve
    ) throws(SardonyxError) -> DecodedPicture {
        var features = WebPBitstreamFeatures()
        let header = WebPGetFeatures(bytes, bytes.count, &features)
        guard header == VP8_STATUS_OK else { throw DecodedPicture.failure("WebP", reason(header), rows: 0, of: 0) }
        guard features.has_animation == 0 else {
            throw SardonyxError(.image, "", "WebP kind", got: "an animation", allowed: "still pictures")
        }
        let (width, height) = (Int(features.width), Int(features.height))
        var rgb = [UInt8](
            repeating: 0, count: try DecodedPicture.byteCount("WebP", width: width, height: height, reserve))
        // The incremental decoder, unlike the plain one, tells how many rows it completed.
        let (status, rows) = rgb.withUnsafeMutableBufferPointer { out -> (VP8StatusCode, Int) in
            guard let decoder = WebPINewRGB(MODE_RGB, out.baseAddress, out.count, Int32(width * 3)) else {
                return (VP8_STATUS_OUT_OF_MEMORY, 0)
            }
            defer { WebPIDelete(decoder) }
            let status = WebPIUpdate(decoder, bytes, bytes.count)
            var rows: Int32 = 0
            let started = WebPIDecGetRGB(decoder, &rows, nil, nil, nil) != nil
            return (status, started ? Int(rows) : 0)
        }
        guard status == VP8_STATUS_OK else {
            throw DecodedPicture.failure("WebP", reason(status), rows: rows, of: height)
        }
        // Metadata may follow the pixels: the decoder does not look that far.
        guard integer(bytes, at: 4) <= bytes.count - 8 else {
            throw DecodedPicture.failure("WebP", "the data ends early", rows: rows, of: height)
        }
        return DecodedPicture(width: width, height: height, rgb: rgb, orientation: Orientation(exif: exif(in: bytes)))
    }

    /// Encodes interleaved RGB8; `quality` in 1...100, where 100 is lossless.
    package static func encode(width: Int, height: Int, rgb: [UInt8], quality: Int) throws(SardonyxError) -> [UInt8] {
        guard width <= Int(WEBP_MAX_DIMENSION), height <= Int(WEBP_MAX_DIMENSION) else {
            throw SardonyxError(
                .image, "", "size of a WebP to write", got: "\(width) x \(height)",
                allowed: "sides up to \(WEBP_MAX_DIMENSION)")
        }
        var data: UnsafeMutablePointer<UInt8>?
        let (columns, rows, stride) = (Int32(width), Int32(height), Int32(width * 3))
        let count =
            quality == 100
            ? WebPEncodeLosslessRGB(rgb, columns, rows, stride, &data)
            : WebPEncodeRGB(rgb, columns, rows, stride, Float(quality), &data)
        defer { WebPFree(data) }
        guard count > 0, let data else { throw SardonyxError(.image, "", "cannot encode as WebP") }
        return Array(UnsafeBufferPointer(start: data, count: count))
    }

    /// The EXIF chunk of the RIFF container (WebP Container Specification, "Metadata"), or nothing.
    private static func exif(in bytes: [UInt8]) -> [UInt8] {
        var offset = 12
        while offset <= bytes.count - 8 {
            let size = integer(bytes, at: offset + 4)
            let start = offset + 8
            guard size <= bytes.count - start else { return [] }
            if bytes[offset..<(offset + 4)].elementsEqual("EXIF".utf8) {
                // Some writers keep the prefix that EXIF has in JPEG.
                let block = bytes[start..<(start + size)]
                return Array(block.starts(with: "Exif\0\0".utf8) ? block.dropFirst(6) : block)
            }
            offset = start + size + size % 2
        }
        return []
    }

    /// Four bytes, least significant first; the caller has checked that they exist.
    private static func integer(_ bytes: [UInt8], at offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    private static func reason(_ status: VP8StatusCode) -> String {
        switch status {
        case VP8_STATUS_OUT_OF_MEMORY: "out of memory"
        case VP8_STATUS_BITSTREAM_ERROR: "invalid bit stream"
        case VP8_STATUS_UNSUPPORTED_FEATURE: "unsupported feature"
        case VP8_STATUS_SUSPENDED, VP8_STATUS_NOT_ENOUGH_DATA: "the data ends early"
        default: "libwebp status \(status.rawValue)"
        }
    }
}
