import TensorCore

/// An 8-bit RGB picture: rows from top to bottom, pixels from left to right, three bytes each (red, green, blue).
public struct Image: Sendable, Hashable {
    /// The most pixels an image may have: column-major run lengths of it fit in 32 bits.
    public static let maximumPixels = 1 << 30

    public let width: Int
    public let height: Int
    /// `width · height · 3` bytes.
    public private(set) var pixels: [UInt8]

    /// - Parameter pixels: interleaved RGB, `width · height · 3` bytes.
    /// - Throws: `image` if a side is below 1 or the byte count does not fit, `limit` above `maximumPixels`.
    public init(width: Int, height: Int, pixels: [UInt8]) throws(SardonyxError) {
        let expected = try Image.byteCount(width: width, height: height)
        guard pixels.count == expected else {
            throw SardonyxError(
                .image, "pixels", "byte count", got: "\(pixels.count)",
                allowed: "\(expected) for \(width)×\(height) RGB")
        }
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A picture of one colour.
    /// - Throws: as `init(width:height:pixels:)`.
    public init(width: Int, height: Int, red: UInt8 = 0, green: UInt8 = 0, blue: UInt8 = 0) throws(SardonyxError) {
        let count = try Image.byteCount(width: width, height: height)
        var pixels = [UInt8](repeating: red, count: count)
        if green != red || blue != red {
            for index in stride(from: 0, to: count, by: 3) {
                pixels[index + 1] = green
                pixels[index + 2] = blue
            }
        }
        try self.init(width: width, height: height, pixels: pixels)
    }

    /// Bytes that an interleaved RGB picture of this size takes.
    /// - Throws: as `init(width:height:pixels:)`.
    public static func byteCount(width: Int, height: Int) throws(SardonyxError) -> Int {
        guard width > 0, height > 0 else {
            throw SardonyxError(
                .image, "size", "empty picture", got: "\(width)×\(height)", allowed: "sides of at least 1")
        }
        guard let pixels = CheckedSize.product(width, height), pixels <= maximumPixels else {
            throw SardonyxError(
                .limit, "size", "pixels", got: "\(width)×\(height)", allowed: "at most \(maximumPixels)")
        }
        return pixels * 3
    }

    /// The pixels for writing in place, for example to draw; valid during the call only.
    public mutating func withUnsafeMutablePixels<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try pixels.withUnsafeMutableBufferPointer { (bytes) throws(Failure) in try body(bytes) }
    }
}
