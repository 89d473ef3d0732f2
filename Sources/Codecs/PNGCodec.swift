import CCodecs
import TensorCore

/// PNG by libpng: every colour type, bit depth and interlacing of the specification; of an animation, the still.
package enum PNGCodec {
    /// zlib level: level 6 makes photographs up to 4 % smaller and takes up to twice the time.
    private static let compression: Int32 = 4

    package static func decode(
        _ bytes: [UInt8], reserve: DecodedPicture.Reserve
    ) throws(SardonyxError) -> DecodedPicture {
        try bytes.withUnsafeBufferPointer { (source) throws(SardonyxError) in
            var report = sx_image_report()
            guard let reader = sx_png_open(source.baseAddress, source.count, &report) else {
                throw DecodedPicture.failure("PNG", report.reason, rows: 0, of: Int(report.height))
            }
            defer { sx_png_close(reader) }
            let (width, height) = (Int(report.width), Int(report.height))
            var rgb = [UInt8](
                repeating: 0, count: try DecodedPicture.byteCount("PNG", width: width, height: height, reserve))
            let complete = rgb.withUnsafeMutableBufferPointer { sx_png_read(reader, $0.baseAddress, &report) != 0 }
            guard complete else {
                let reason = report.reason + (report.scans > 1 ? ", in pass \(report.scans) of 7" : "")
                throw DecodedPicture.failure("PNG", reason, rows: Int(report.rows), of: height)
            }
            return DecodedPicture(
                width: width, height: height, rgb: rgb, orientation: Orientation(exif: report.exifBytes))
        }
    }

    /// Encodes 8-bit RGB (3 channels) or RGBA (4 channels), interleaved.
    package static func encode(width: Int, height: Int, pixels: [UInt8], channels: Int) throws(SardonyxError) -> [UInt8]
    {
        try EncodedBytes.collect("PNG") { out, report in
            pixels.withUnsafeBufferPointer {
                sx_png_encode(
                    $0.baseAddress, UInt32(width), UInt32(height), Int32(channels), compression, &out, &report) != 0
            }
        }
    }
}
