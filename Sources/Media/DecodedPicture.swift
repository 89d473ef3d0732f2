import CCodecs
import TensorCore

/// What a decoder hands over: pixels as stored, interleaved RGB8 `[height, width, 3]`, and how to turn them.
struct DecodedPicture {
    /// The most pixels a picture may have, checked on its header before anything is allocated.
    static let maximumPixels = 100_000_000

    let width: Int
    let height: Int
    let rgb: [UInt8]
    let orientation: Orientation

    /// The bytes that a picture of this size needs.
    ///
    /// - Throws: `image` for an empty side or more than `maximumPixels`.
    static func byteCount(_ format: String, width: Int, height: Int) throws(SardonyxError) -> Int {
        guard width > 0, height > 0, let pixels = CheckedSize.product(width, height), pixels <= maximumPixels else {
            throw SardonyxError(
                .image, "", "\(format) size", got: "\(width) x \(height) pixels",
                allowed: "1 to \(maximumPixels) pixels in all")
        }
        return pixels * 3
    }

    /// Why decoding stopped, and how far it had come.
    static func failure(_ format: String, _ reason: String, rows: Int, of height: Int) -> SardonyxError {
        SardonyxError(
            .image, "", "\(format) data is damaged or cut short (\(reason))", got: "\(rows) of \(height) rows",
            allowed: "complete files only")
    }
}

extension sx_image_report {
    /// The library's own words.
    var reason: String {
        withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The EXIF block, copied.
    var exifBytes: [UInt8] {
        guard let exif else { return [] }
        return Array(UnsafeBufferPointer(start: exif, count: exif_count))
    }
}
