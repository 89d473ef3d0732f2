import CCodecs
import TensorCore

/// What a decoder hands over: pixels as stored, interleaved RGB8 `[height, width, 3]`, and how to turn them.
package struct DecodedPicture: Sendable {
    /// The most pixels a picture may have, checked on its header before anything is allocated.
    package static let maximumPixels = 100_000_000

    package let width: Int
    package let height: Int
    package let rgb: [UInt8]
    package let orientation: Orientation

    /// Asked for the bytes of pixels, and of what decoding needs besides, before they are allocated.
    package typealias Reserve = (Int) throws(SardonyxError) -> Void

    /// The bytes that a picture of this size needs.
    ///
    /// - Parameter extra: bytes a pixel that decoding needs besides.
    /// - Throws: `image` for an empty side or more than `maximumPixels`, and what `reserve` throws.
    static func byteCount(
        _ format: String, width: Int, height: Int, extra: Int = 0, _ reserve: Reserve
    ) throws(SardonyxError) -> Int {
        guard width > 0, height > 0, let pixels = CheckedSize.product(width, height), pixels <= maximumPixels else {
            throw SardonyxError(
                .image, "", "\(format) size", got: "\(width) x \(height) pixels",
                allowed: "1 to \(maximumPixels) pixels in all")
        }
        try reserve(pixels * (3 + extra))
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
