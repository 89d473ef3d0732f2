/// How a stored picture must be turned to stand upright: the EXIF tag 0x0112 (Exif 2.32, 4.6.4.A).
package enum Orientation: UInt16, Sendable {
    case up = 1
    case upMirrored
    case down
    case downMirrored
    case leftMirrored
    case right
    case rightMirrored
    case left

    /// Reads the tag from an EXIF (TIFF) block. A block that is absent, damaged or silent means `up`.
    package init(exif: [UInt8]) {
        self = Self.tag(in: exif).flatMap(Orientation.init(rawValue:)) ?? .up
    }

    private static func tag(in exif: [UInt8]) -> UInt16? {
        let big: Bool
        switch exif.prefix(4) {
        case [0x49, 0x49, 0x2A, 0x00]: big = false
        case [0x4D, 0x4D, 0x00, 0x2A]: big = true
        default: return nil
        }
        func integer(at offset: Int, bytes: Int) -> Int? {
            guard offset >= 0, offset <= exif.count - bytes else { return nil }
            return (0..<bytes).reduce(0) { $0 << 8 | Int(exif[offset + (big ? $1 : bytes - 1 - $1)]) }
        }
        guard let directory = integer(at: 4, bytes: 4), let count = integer(at: directory, bytes: 2) else { return nil }
        for entry in 0..<count {
            let offset = directory + 2 + entry * 12
            guard let tag = integer(at: offset, bytes: 2), let type = integer(at: offset + 2, bytes: 2) else {
                return nil
            }
            if tag == 0x0112 {
                guard type == 3 else { return nil }
                return integer(at: offset + 8, bytes: 2).map(UInt16.init(truncatingIfNeeded:))
            }
        }
        return nil
    }

    /// The upright picture: interleaved RGB8 `[height, width, 3]` in, the same layout out, sides swapped for the four
    /// orientations that lie on their side.
    package func apply(width: Int, height: Int, rgb: [UInt8]) -> (width: Int, height: Int, rgb: [UInt8]) {
        // The source pixel of output (x, y) is first + x * right + y * down.
        let (first, right, down, swapped): (Int, Int, Int, Bool)
        switch self {
        case .up: return (width, height, rgb)
        case .upMirrored: (first, right, down, swapped) = (width - 1, -1, width, false)
        case .down: (first, right, down, swapped) = (width * height - 1, -1, -width, false)
        case .downMirrored: (first, right, down, swapped) = ((height - 1) * width, 1, -width, false)
        case .leftMirrored: (first, right, down, swapped) = (0, width, 1, true)
        case .right: (first, right, down, swapped) = ((height - 1) * width, -width, 1, true)
        case .rightMirrored: (first, right, down, swapped) = (width * height - 1, -width, -1, true)
        case .left: (first, right, down, swapped) = (width - 1, width, -1, true)
        }
        let (columns, rows) = swapped ? (height, width) : (width, height)
        var turned = [UInt8](repeating: 0, count: rgb.count)
        turned.withUnsafeMutableBufferPointer { out in
            rgb.withUnsafeBufferPointer { source in
                var target = 0
                for y in 0..<rows {
                    var pixel = (first + y * down) * 3
                    for _ in 0..<columns {
                        out[target] = source[pixel]
                        out[target + 1] = source[pixel + 1]
                        out[target + 2] = source[pixel + 2]
                        target += 3
                        pixel += right * 3
                    }
                }
            }
        }
        return (columns, rows, turned)
    }
}
