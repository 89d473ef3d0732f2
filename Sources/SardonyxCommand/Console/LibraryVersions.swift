import COnnx
import CWebP

/// Versions of the C libraries that are loaded now.
enum LibraryVersions {
    static var all: [String: String] {
        let webp = WebPGetDecoderVersion()
        return [
            "libwebp": "\(webp >> 16).\(webp >> 8 & 255).\(webp & 255)",
            "protobuf-c": String(cString: protobuf_c_version()),
        ]
    }
}
