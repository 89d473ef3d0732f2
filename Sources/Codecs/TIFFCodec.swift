import CCodecs
import TensorCore

/// TIFF by libtiff: the first picture of a file, of every kind that its RGBA interface reads; alpha is dropped, and the
/// picture turned upright where its orientation mirrors it.
enum TIFFCodec {
    static func decode(_ bytes: [UInt8], reserve: DecodedPicture.Reserve) throws(SardonyxError) -> DecodedPicture {
        try CReader.decode(
            "TIFF", bytes, extra: 8, reserve, open: sx_tiff_open, read: sx_tiff_read, close: sx_tiff_close)
    }
}

/// JPEG 2000 by OpenJPEG: grey and colour of up to 16 bits, in files and as bare code streams; alpha is dropped.
enum JPEG2000Codec {
    static func decode(_ bytes: [UInt8], reserve: DecodedPicture.Reserve) throws(SardonyxError) -> DecodedPicture {
        try CReader.decode(
            "JPEG 2000", bytes, extra: 32, reserve, open: sx_jpeg2000_open, read: sx_jpeg2000_read,
            close: sx_jpeg2000_close)
    }
}

/// A reader of `CCodecs` that gives its whole picture at once.
private enum CReader {
    static func decode(
        _ format: String, _ bytes: [UInt8], extra: Int, _ reserve: DecodedPicture.Reserve,
        open: (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<sx_image_report>?) -> OpaquePointer?,
        read: (OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<sx_image_report>?) -> Int32,
        close: (OpaquePointer?) -> Void
    ) throws(SardonyxError) -> DecodedPicture {
        try bytes.withUnsafeBufferPointer { (source) throws(SardonyxError) in
            var report = sx_image_report()
            guard let reader = open(source.baseAddress, source.count, &report) else {
                throw DecodedPicture.failure(format, report.reason, rows: 0, of: Int(report.height))
            }
            defer { close(reader) }
            let (width, height) = (Int(report.width), Int(report.height))
            let count = try DecodedPicture.byteCount(format, width: width, height: height, extra: extra, reserve)
            var rgb = [UInt8](repeating: 0, count: count)
            guard rgb.withUnsafeMutableBufferPointer({ read(reader, $0.baseAddress, &report) != 0 }) else {
                throw DecodedPicture.failure(format, report.reason, rows: Int(report.rows), of: height)
            }
            return DecodedPicture(width: width, height: height, rgb: rgb, orientation: .up)
        }
    }
}
