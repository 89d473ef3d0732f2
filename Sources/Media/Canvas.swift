import Glibc

/// Pixels being drawn on: RGB8, row-major, source-over compositing. Valid while the image lends its bytes.
///
/// Coordinates are continuous: pixel (x, y) covers [x, x + 1) × [y, y + 1). Anything outside is clipped.
struct Canvas {
    let width: Int
    let height: Int
    let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Mixes a colour into a pixel inside the canvas; `alpha` in 0...1.
    @inline(__always)
    func blend(_ x: Int, _ y: Int, _ color: Color, _ alpha: Float) {
        let weight = Int32(alpha * 256)
        let offset = (y * width + x) * 3
        bytes[offset] = mix(bytes[offset], color.red, weight)
        bytes[offset + 1] = mix(bytes[offset + 1], color.green, weight)
        bytes[offset + 2] = mix(bytes[offset + 2], color.blue, weight)
    }

    @inline(__always)
    private func mix(_ under: UInt8, _ over: UInt8, _ weight: Int32) -> UInt8 {
        let base = Int32(under)
        return UInt8(truncatingIfNeeded: base + ((Int32(over) - base) * weight + 128) >> 8)
    }

    /// Fills a rectangle with round corners, edges anti-aliased.
    func fill(_ rectangle: Frame, radius: Float, _ color: Color, alpha: Float) {
        let shape = RoundedRectangle(rectangle, radius: radius)
        let (columns, rows) = pixels(of: rectangle.insetBy(-1))
        for y in rows {
            for x in columns {
                let coverage = min(max(0.5 - shape.distance(Float(x) + 0.5, Float(y) + 0.5), 0), 1)
                if coverage > 0 { blend(x, y, color, alpha * coverage) }
            }
        }
    }

    /// Draws a line of the given thickness along the edge of a rectangle with round corners.
    func stroke(_ rectangle: Frame, radius: Float, thickness: Float, _ color: Color, alpha: Float) {
        let shape = RoundedRectangle(rectangle, radius: radius)
        let reach = thickness / 2 + 1
        let (columns, rows) = pixels(of: rectangle.insetBy(-reach))
        let hollow = pixels(of: rectangle.insetBy(reach + radius))
        func draw(_ x: Int, _ y: Int) {
            let distance = abs(shape.distance(Float(x) + 0.5, Float(y) + 0.5))
            let coverage = min(max(thickness / 2 + 0.5 - distance, 0), 1)
            if coverage > 0 { blend(x, y, color, alpha * coverage) }
        }
        for y in rows {
            if hollow.rows.contains(y), !hollow.columns.isEmpty {
                for x in columns.lowerBound..<hollow.columns.lowerBound { draw(x, y) }
                for x in hollow.columns.upperBound..<columns.upperBound { draw(x, y) }
            } else {
                for x in columns { draw(x, y) }
            }
        }
    }

    /// Composites a coverage picture with its top left pixel at (x, y).
    func draw(_ coverage: CoverageMap, x left: Int, y top: Int, _ color: Color, alpha: Float) {
        for row in max(0, -top)..<max(max(0, -top), min(coverage.height, height - top)) {
            for column in max(0, -left)..<max(max(0, -left), min(coverage.width, width - left)) {
                let value = coverage.values[row * coverage.width + column]
                if value > 0 { blend(left + column, top + row, color, alpha * Float(value) / 255) }
            }
        }
    }

    /// The pixels that a frame touches, clipped to the canvas.
    private func pixels(of frame: Frame) -> (columns: Range<Int>, rows: Range<Int>) {
        func clipped(_ low: Float, _ high: Float, _ side: Int) -> Range<Int> {
            let first = Int(min(max(low.rounded(.down), 0), Float(side)))
            return first..<max(first, Int(min(max(high.rounded(.up), 0), Float(side))))
        }
        return (clipped(frame.left, frame.right, width), clipped(frame.top, frame.bottom, height))
    }
}

/// A rectangle in continuous pixel coordinates, all finite.
struct Frame: Hashable {
    var left: Float
    var top: Float
    var right: Float
    var bottom: Float

    var width: Float { right - left }
    var height: Float { bottom - top }

    func insetBy(_ amount: Float) -> Frame {
        Frame(left: left + amount, top: top + amount, right: right - amount, bottom: bottom - amount)
    }

    func overlap(_ other: Frame) -> Float {
        max(0, min(right, other.right) - max(left, other.left))
            * max(0, min(bottom, other.bottom) - max(top, other.top))
    }
}

/// The signed distance from a rectangle with round corners: negative inside.
private struct RoundedRectangle {
    let centerX: Float
    let centerY: Float
    let halfWidth: Float
    let halfHeight: Float
    let radius: Float

    init(_ frame: Frame, radius: Float) {
        self.radius = max(0, min(radius, frame.width / 2, frame.height / 2))
        centerX = (frame.left + frame.right) / 2
        centerY = (frame.top + frame.bottom) / 2
        halfWidth = frame.width / 2 - self.radius
        halfHeight = frame.height / 2 - self.radius
    }

    func distance(_ x: Float, _ y: Float) -> Float {
        let dx = abs(x - centerX) - halfWidth
        let dy = abs(y - centerY) - halfHeight
        let outside = (max(dx, 0) * max(dx, 0) + max(dy, 0) * max(dy, 0)).squareRoot()
        return outside + min(max(dx, dy), 0) - radius
    }
}
