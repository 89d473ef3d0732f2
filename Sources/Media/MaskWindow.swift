import Detection

/// The part of a mask that matters for drawing: its bounding box and a margin, inside the picture.
struct MaskWindow {
    let left: Int
    let top: Int
    let width: Int
    let height: Int
    /// 255 where the mask is set, else 0; row-major.
    private var values: [UInt8]

    /// `nil` for an empty mask. The margin is clipped at the picture's edges: no contour runs along them.
    init?(_ mask: RLE, margin: Int) {
        guard let bounds = mask.bounds else { return nil }
        let (left, top) = (max(0, bounds.x1 - margin), max(0, bounds.y1 - margin))
        let width = min(mask.width, bounds.x2 + margin) - left
        let height = min(mask.height, bounds.y2 + margin) - top
        var values = [UInt8](repeating: 0, count: width * height)
        values.withUnsafeMutableBufferPointer { out in
            mask.forEachColumnRun { column, rows in
                for row in rows { out[(row - top) * width + column - left] = 255 }
            }
        }
        (self.left, self.top, self.width, self.height, self.values) = (left, top, width, height, values)
    }

    /// Mixes a colour into every pixel of the mask.
    func fill(_ canvas: Canvas, _ color: Color, alpha: Float) {
        for y in 0..<height {
            for x in 0..<width where values[y * width + x] != 0 { canvas.blend(left + x, top + y, color, alpha) }
        }
    }

    /// Draws an anti-aliased line along the mask's edge.
    ///
    /// The mask is blurred (two box filters a direction); where the blurred value passes one half is the edge, rid of
    /// the pixel grid's steps, and the value over its gradient is the distance from it in pixels.
    func stroke(_ canvas: Canvas, thickness: Float, _ color: Color, alpha: Float) {
        let field = blurred(radius: Self.radius(thickness: thickness))
        field.withUnsafeBufferPointer { field in
            for y in 0..<height {
                let (above, below) = (max(y - 1, 0) * width, min(y + 1, height - 1) * width)
                for x in 0..<width {
                    let value = field[y * width + x]
                    guard value > 2, value < 253 else { continue }
                    let dx = Float(field[y * width + min(x + 1, width - 1)]) - Float(field[y * width + max(x - 1, 0)])
                    let dy = Float(field[below + x]) - Float(field[above + x])
                    let slope = (dx * dx + dy * dy).squareRoot() / 2
                    guard slope > 4 else { continue }
                    let coverage = min(max(thickness / 2 + 0.5 - abs(Float(value) - 127.5) / slope, 0), 1)
                    if coverage > 0 { canvas.blend(left + x, top + y, color, alpha * coverage) }
                }
            }
        }
    }

    /// The margin that a contour of this thickness needs.
    static func margin(thickness: Float) -> Int { 2 * radius(thickness: thickness) + 2 }

    private static func radius(thickness: Float) -> Int { max(1, Int(thickness * 0.5)) }

    private func blurred(radius: Int) -> [UInt8] {
        var field = values
        for _ in 0..<2 { blurRows(&field, radius) }
        for _ in 0..<2 { blurColumns(&field, radius) }
        return field
    }

    /// A box filter of 2 · radius + 1 along each row, edge values repeated.
    private func blurRows(_ field: inout [UInt8], _ radius: Int) {
        let count = 2 * radius + 1
        var line = [UInt8](repeating: 0, count: width)
        field.withUnsafeMutableBufferPointer { field in
            for y in 0..<height {
                let row = y * width
                for x in 0..<width { line[x] = field[row + x] }
                var sum = 0
                for x in -radius...radius { sum += Int(line[min(max(x, 0), width - 1)]) }
                for x in 0..<width {
                    field[row + x] = UInt8(truncatingIfNeeded: (sum + radius) / count)
                    sum += Int(line[min(x + radius + 1, width - 1)]) - Int(line[max(x - radius, 0)])
                }
            }
        }
    }

    /// The same along each column; running sums of a whole row at a time keep memory access in order.
    private func blurColumns(_ field: inout [UInt8], _ radius: Int) {
        let count = Int32(2 * radius + 1)
        let source = field
        var sums = [Int32](repeating: 0, count: width)
        for y in -radius...radius {
            let row = min(max(y, 0), height - 1) * width
            for x in 0..<width { sums[x] += Int32(source[row + x]) }
        }
        field.withUnsafeMutableBufferPointer { field in
            for y in 0..<height {
                let entering = min(y + radius + 1, height - 1) * width
                let leaving = max(y - radius, 0) * width
                for x in 0..<width {
                    field[y * width + x] = UInt8(truncatingIfNeeded: (sums[x] + count / 2) / count)
                    sums[x] += Int32(source[entering + x]) - Int32(source[leaving + x])
                }
            }
        }
    }
}
