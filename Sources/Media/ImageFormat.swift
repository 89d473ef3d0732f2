import TensorCore

/// A file format that pictures are read from and written to.
public enum ImageFormat: String, Sendable, Hashable, CaseIterable {
    case jpeg
    case png
    case webp

    /// The format that a path's extension names (`.jpg`, `.jpeg`, `.png`, `.webp`, in any case).
    ///
    /// - Throws: `image` for any other extension.
    public init(pathExtensionOf path: String) throws(SardonyxError) {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.index(after: $0)...] } ?? path[...]
        let suffix = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
        switch suffix {
        case "jpg", "jpeg": self = .jpeg
        case "png": self = .png
        case "webp": self = .webp
        default:
            throw SardonyxError(
                .image, path, "unknown picture format",
                got: suffix.isEmpty ? "no extension" : "extension '.\(suffix)'", allowed: ".jpg, .jpeg, .png, .webp")
        }
    }

    /// The format that the first bytes of a file show; its name plays no part.
    ///
    /// - Throws: `image` for an empty file and for contents that are none of the formats, named where recognised.
    init(magicOf bytes: [UInt8]) throws(SardonyxError) {
        guard !bytes.isEmpty else { throw SardonyxError(.image, "", "the file is empty") }
        if Self.matches(bytes, [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if Self.matches(bytes, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if Self.matches(bytes, "RIFF"), Self.matches(bytes, "WEBP", at: 8) {
            self = .webp
        } else {
            let foreign = Self.foreign.first { Self.matches(bytes, $0.magic, at: $0.offset) }
            throw SardonyxError(
                .image, "", "not a picture that can be read", got: foreign?.name ?? "unknown contents",
                allowed: "JPEG, PNG, WebP", hint: foreign?.hint)
        }
    }

    /// Contents that are often met in place of a picture.
    private static let foreign: [(magic: String, offset: Int, name: String, hint: String?)] = [
        ("version https://git-lfs", 0, "a Git LFS pointer", "Run `git lfs pull`"),
        ("<!DOCTYPE", 0, "HTML", nil),
        ("<html", 0, "HTML", nil),
        ("GIF8", 0, "GIF", nil),
        ("BM", 0, "BMP", nil),
        ("II*\0", 0, "TIFF", nil),
        ("MM\0*", 0, "TIFF", nil),
        ("ftypheic", 4, "HEIC", nil),
        ("ftypavif", 4, "AVIF", nil),
        ("ftyp", 4, "MP4 or HEIF", nil),
        ("%PDF", 0, "PDF", nil),
        ("PK\u{3}\u{4}", 0, "a zip archive", nil),
    ]

    private static func matches(_ bytes: [UInt8], _ magic: some Collection<UInt8>, at offset: Int = 0) -> Bool {
        bytes.count >= offset + magic.count && bytes[offset..<(offset + magic.count)].elementsEqual(magic)
    }

    private static func matches(_ bytes: [UInt8], _ magic: String, at offset: Int = 0) -> Bool {
        matches(bytes, Array(magic.utf8), at: offset)
    }
}
