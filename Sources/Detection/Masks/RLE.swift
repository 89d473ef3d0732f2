import TensorCore

/// A binary mask as run lengths in column-major order, as COCO stores them: zeros, ones, zeros, …
public struct RLE: Sendable, Hashable {
    public let width: Int
    public let height: Int
    /// Lengths of the runs, the first of zeros (0 if the top left pixel is set); they sum to `width · height`.
    public let counts: [UInt32]

    /// - Throws: `value` if a side is below 1 or the counts do not sum to `width · height`, `limit` above
    ///   `Image.maximumPixels`.
    public init(width: Int, height: Int, counts: [UInt32]) throws(SardonyxError) {
        let pixels = try RLE.pixelCount(width: width, height: height)
        guard let sum = CheckedSize.sum(counts.lazy.map(Int.init)), sum == pixels else {
            throw SardonyxError(
                .value, "RLE", "the counts do not cover the mask",
                got: "a sum of \(CheckedSize.sum(counts.lazy.map(Int.init)) ?? Int.max)",
                allowed: "\(pixels) for \(width)×\(height)")
        }
        self.init(unchecked: counts, width: width, height: height)
    }

    init(unchecked counts: [UInt32], width: Int, height: Int) {
        self.width = width
        self.height = height
        self.counts = counts
    }

    /// - Parameter toggles: ascending column-major positions, all below `width · height`, at which the mask changes;
    ///   position 0 counts when the first pixel is set.
    init(toggles: [UInt32], width: Int, height: Int) {
        var counts = [UInt32]()
        counts.reserveCapacity(toggles.count + 1)
        var previous: UInt32 = 0
        for toggle in toggles {
            counts.append(toggle - previous)
            previous = toggle
        }
        counts.append(UInt32(width * height) - previous)
        self.init(unchecked: counts, width: width, height: height)
    }

    /// The run lengths of a bitmap.
    public init(_ bitmap: Bitmap) {
        var toggles = [UInt32]()
        var previous: UInt8 = 0
        for x in 0..<bitmap.width {
            for y in 0..<bitmap.height {
                let value = bitmap.bytes[y * bitmap.width + x]
                if value != previous { toggles.append(UInt32(x * bitmap.height + y)) }
                previous = value
            }
        }
        self.init(toggles: toggles, width: bitmap.width, height: bitmap.height)
    }

    /// `width · height`, checked.
    static func pixelCount(width: Int, height: Int) throws(SardonyxError) -> Int {
        guard width > 0, height > 0 else {
            throw SardonyxError(.value, "RLE", "size", got: "\(width)×\(height)", allowed: "sides of at least 1")
        }
        guard let pixels = CheckedSize.product(width, height), pixels <= Image.maximumPixels else {
            throw SardonyxError(
                .limit, "RLE", "pixels", got: "\(width)×\(height)", allowed: "at most \(Image.maximumPixels)")
        }
        return pixels
    }

    /// Calls `body` for every vertical stretch of set pixels, column by column: the column and its rows.
    public func forEachColumnRun(_ body: (_ column: Int, _ rows: Range<Int>) -> Void) {
        forEachRun { start, end in
            var position = start
            while position < end {
                let column = position / height
                let stop = Swift.min(end, (column + 1) * height)
                body(column, position - column * height..<stop - column * height)
                position = stop
            }
        }
    }

    /// Calls `body` for every run of ones that is not empty, as column-major positions `start..<end`.
    func forEachRun(_ body: (_ start: Int, _ end: Int) -> Void) {
        var position = 0
        var isSet = false
        for count in counts {
            let end = position + Int(count)
            if isSet, end > position { body(position, end) }
            position = end
            isSet.toggle()
        }
    }

    /// The mask as one byte a pixel.
    public func bitmap() -> Bitmap {
        var bytes = [UInt8](repeating: 0, count: width * height)
        bytes.withUnsafeMutableBufferPointer { pixels in
            forEachColumnRun { column, rows in
                for row in rows { pixels[row * width + column] = 1 }
            }
        }
        return Bitmap(unchecked: bytes, width: width, height: height)
    }
}

/// A binary mask, one byte a pixel (0 or 1), row-major.
public struct Bitmap: Sendable, Hashable {
    public let width: Int
    public let height: Int
    /// `width · height` bytes, 0 or 1.
    public let bytes: [UInt8]

    /// - Parameter bytes: row-major; any value but 0 sets the pixel.
    /// - Throws: `value` if a side is below 1 or the byte count does not fit, `limit` above `Image.maximumPixels`.
    public init(width: Int, height: Int, bytes: [UInt8]) throws(SardonyxError) {
        let pixels = try RLE.pixelCount(width: width, height: height)
        guard bytes.count == pixels else {
            throw SardonyxError(.value, "bitmap", "byte count", got: "\(bytes.count)", allowed: "\(pixels)")
        }
        self.init(unchecked: bytes.map { $0 == 0 ? 0 : 1 }, width: width, height: height)
    }

    init(unchecked bytes: [UInt8], width: Int, height: Int) {
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// Whether the pixel is set; false outside the bitmap.
    public subscript(x x: Int, y y: Int) -> Bool {
        x >= 0 && x < width && y >= 0 && y < height && bytes[y * width + x] != 0
    }
}
