import TensorCore

/// Decodes pictures of every format that has a codec here.
package enum PictureFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG", png = "PNG", webp = "WebP", bmp = "BMP", pnm = "PNM", tiff = "TIFF", jpeg2000 = "JPEG 2000"

    /// The format that the first bytes show; `nil`: none of these.
    package init?(magicOf bytes: [UInt8]) {
        func starts(_ magic: [UInt8], at offset: Int = 0) -> Bool { bytes.dropFirst(offset).starts(with: magic) }
        if starts([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if starts(Array("RIFF".utf8)), starts(Array("WEBP".utf8), at: 8) {
            self = .webp
        } else if starts([0x49, 0x49, 0x2A, 0]) || starts([0x4D, 0x4D, 0, 0x2A]) || starts([0x49, 0x49, 0x2B, 0])
            || starts([0x4D, 0x4D, 0, 0x2B])
        {
            self = .tiff
        } else if starts([0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20]) || starts([0xFF, 0x4F, 0xFF, 0x51]) {
            self = .jpeg2000
        } else if starts(Array("BM".utf8)) {
            self = .bmp
        } else if bytes.count > 2, bytes[0] == 0x50, (0x31...0x36).contains(bytes[1]) {
            self = .pnm
        } else {
            return nil
        }
    }

    /// - Parameter reserve: asked before memory for pixels is allocated.
    /// - Throws: `image` for a picture that is damaged, cut short, too large or of a kind that is not read; what
    ///   `reserve` throws.
    package func decode(_ bytes: [UInt8], reserve: DecodedPicture.Reserve) throws(SardonyxError) -> DecodedPicture {
        switch self {
        case .jpeg: try JPEGCodec.decode(bytes, reserve: reserve)
        case .png: try PNGCodec.decode(bytes, reserve: reserve)
        case .webp: try WebPCodec.decode(bytes, reserve: reserve)
        case .bmp: try BMPCodec.decode(bytes, reserve: reserve)
        case .pnm: try PNMCodec.decode(bytes, reserve: reserve)
        case .tiff: try TIFFCodec.decode(bytes, reserve: reserve)
        case .jpeg2000: try JPEG2000Codec.decode(bytes, reserve: reserve)
        }
    }
}
