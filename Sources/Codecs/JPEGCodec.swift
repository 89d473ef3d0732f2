import CCodecs
import Glibc
import TensorCore

/// JPEG by libjpeg-turbo: baseline, extended, progressive and arithmetic-coded; grey, YCbCr, RGB, CMYK and YCCK.
package enum JPEGCodec {
    /// A picture stored in more scans than this is refused: each scan costs a pass over all coefficients.
    static let maximumScans: UInt32 = 100
    /// Work space of the decoder in bytes; 100 Mpx progressive CMYK needs 800 MB.
    private static let maximumMemory = 1 << 30

    package static func decode(
        _ bytes: [UInt8], reserve: DecodedPicture.Reserve
    ) throws(SardonyxError) -> DecodedPicture {
        try bytes.withUnsafeBufferPointer { (source) throws(SardonyxError) in
            var report = sx_image_report()
            guard let reader = sx_jpeg_open(source.baseAddress, source.count, &report) else {
                throw DecodedPicture.failure("JPEG", report.reason, rows: 0, of: Int(report.height))
            }
            defer { sx_jpeg_close(reader) }
            let (width, height) = (Int(report.width), Int(report.height))
            var rgb = [UInt8](
                repeating: 0, count: try DecodedPicture.byteCount("JPEG", width: width, height: height, reserve))
            let orientation = Orientation(exif: report.exifBytes)
            let complete = rgb.withUnsafeMutableBufferPointer {
                sx_jpeg_read(reader, $0.baseAddress, maximumScans, maximumMemory, &report) != 0
            }
            if report.too_many_scans != 0 {
                throw SardonyxError(
                    .image, "", "JPEG scans", got: "\(report.scans) or more", allowed: "\(maximumScans)")
            }
            guard complete else {
                let reason = report.reason + (report.scans > 1 ? ", in scan \(report.scans)" : "")
                throw DecodedPicture.failure("JPEG", reason, rows: Int(report.rows), of: height)
            }
            return DecodedPicture(width: width, height: height, rgb: rgb, orientation: orientation)
        }
    }

    /// Encodes interleaved RGB8; `quality` in 1...100; chroma keeps full resolution from quality 90 on.
    package static func encode(width: Int, height: Int, rgb: [UInt8], quality: Int) throws(SardonyxError) -> [UInt8] {
        guard width <= 65_500, height <= 65_500 else {
            throw SardonyxError(
                .image, "", "size of a JPEG to write", got: "\(width) x \(height)", allowed: "sides up to 65500")
        }
        return try EncodedBytes.collect("JPEG") { out, report in
            rgb.withUnsafeBufferPointer {
                sx_jpeg_encode($0.baseAddress, UInt32(width), UInt32(height), Int32(quality), &out, &report) != 0
            }
        }
    }
}

/// Runs a C encoder and takes over what it wrote.
enum EncodedBytes {
    static func collect(
        _ format: String, _ encode: (inout sx_bytes, inout sx_image_report) -> Bool
    ) throws(SardonyxError) -> [UInt8] {
        var out = sx_bytes()
        var report = sx_image_report()
        defer { free(out.data) }
        guard encode(&out, &report) else {
            throw SardonyxError(.image, "", "cannot encode as \(format) (\(report.reason))")
        }
        return Array(UnsafeBufferPointer(start: out.data, count: out.count))
    }
}
