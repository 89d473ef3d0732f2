import Codecs
import Detection
import TensorCore

/// Pictures in and out of files: JPEG (libjpeg-turbo), PNG (libpng), WebP (libwebp).
///
/// Decoded pixels equal OpenCV's `imread(IMREAD_COLOR)` byte for byte: accurate DCT and fancy upsampling, alpha
/// dropped, the high byte of 16-bit samples, EXIF orientation applied.
///
///     let image = try ImageFile.read("street.jpg")
///     try ImageFile.write(image, to: "street.png")
public enum ImageFile {
    /// The most pixels a picture may have (100 million), checked on its header.
    public static let maximumPixels = DecodedPicture.maximumPixels

    /// The most bytes a picture file may have (512 MiB).
    public static let maximumByteCount = 1 << 29

    public struct ReadOptions: Sendable, Hashable {
        /// Turn the picture as its EXIF orientation says; off, pixels stay as stored.
        public var appliesOrientation: Bool

        public init(appliesOrientation: Bool = true) {
            self.appliesOrientation = appliesOrientation
        }
    }

    /// Reads a picture file; its first bytes decide the format.
    ///
    /// - Throws: `image` at the path: missing or special file, unknown format, more than `maximumPixels` pixels or 100
    ///   JPEG scans, damaged or incomplete data (with the rows decoded so far). Never a partial picture.
    public static func read(_ path: String, options: ReadOptions = ReadOptions()) throws(SardonyxError) -> Image {
        let bytes = try WholeFile.bytes(of: path, limit: maximumByteCount, as: .image)
        do {
            return try decode(bytes, options: options)
        } catch {
            throw error.placed(at: path)
        }
    }

    /// Decodes the bytes of a picture file.
    ///
    /// - Throws: `image`, as `read`.
    public static func decode(_ bytes: [UInt8], options: ReadOptions = ReadOptions()) throws(SardonyxError) -> Image {
        let picture: DecodedPicture
        let reserve: DecodedPicture.Reserve = { (_) throws(SardonyxError) in }
        switch try ImageFormat(magicOf: bytes) {
        case .jpeg: picture = try JPEGCodec.decode(bytes, reserve: reserve)
        case .png: picture = try PNGCodec.decode(bytes, reserve: reserve)
        case .webp: picture = try WebPCodec.decode(bytes, reserve: reserve)
        }
        let orientation = options.appliesOrientation ? picture.orientation : .up
        let upright = orientation.apply(width: picture.width, height: picture.height, rgb: picture.rgb)
        return try Image(width: upright.width, height: upright.height, pixels: upright.rgb)
    }

    /// Writes a picture whole or not at all, in the format that the path's extension names.
    ///
    /// - Parameter quality: 1...100 for JPEG and WebP (100: lossless WebP); PNG is always lossless.
    /// - Throws: `image` for an unknown extension, a quality or size the format does not have, or a failed write.
    public static func write(_ image: Image, to path: String, quality: Int = 92) throws(SardonyxError) {
        let format = try ImageFormat(pathExtensionOf: path)
        do {
            try WholeFile.write([try encode(image, as: format, quality: quality)], to: path, as: .image)
        } catch {
            throw error.place == path ? error : error.placed(at: path)
        }
    }

    /// The bytes of a picture file.
    ///
    /// - Throws: `image`, as `write`.
    public static func encode(
        _ image: Image, as format: ImageFormat, quality: Int = 92
    ) throws(SardonyxError) -> [UInt8] {
        guard (1...100).contains(quality) else {
            throw SardonyxError(.image, "", "quality", got: "\(quality)", allowed: "1 to 100")
        }
        let (width, height, rgb) = (image.width, image.height, image.pixels)
        return switch format {
        case .jpeg: try JPEGCodec.encode(width: width, height: height, rgb: rgb, quality: quality)
        case .png: try PNGCodec.encode(width: width, height: height, pixels: rgb, channels: 3)
        case .webp: try WebPCodec.encode(width: width, height: height, rgb: rgb, quality: quality)
        }
    }
}
