/// A corner between pixels: (0, 0) is the top left corner of the picture, (1, 1) that of pixel (1, 1).
public struct Point: Sendable, Hashable {
    public var x: Int
    public var y: Int

    public init(x: Int, y: Int) {
        self.x = x
        self.y = y
    }
}

/// One 4-connected piece of a mask by the corners of its outline.
///
/// Lines are horizontal or vertical and run between pixels, so filling the exterior without the holes gives the
/// mask back exactly. The exterior runs clockwise on the screen, holes the other way; rings are not closed by a
/// repeated point.
public struct Polygon: Sendable, Hashable {
    public var exterior: [Point]
    public var holes: [[Point]]

    public init(exterior: [Point], holes: [[Point]] = []) {
        self.exterior = exterior
        self.holes = holes
    }
}

extension RLE {
    /// The outlines of the mask, pieces ordered by their topmost, then leftmost pixel.
    ///
    /// Memory and time grow with the mask's bounding box, not with the picture.
    public func polygons() -> [Polygon] {
        guard let bounds else { return [] }
        var tracer = ContourTracer(self, bounds: bounds)
        return tracer.trace()
    }
}

/// Follows the cracks between set and clear pixels, the set pixel always on the right hand.
private struct ContourTracer {
    enum Heading: Int { case east, south, west, north }

    let origin: Point
    let width: Int
    let height: Int
    var pixels: [Bool]
    /// For every vertical crack (row y, left of column x) of a ring already followed: 1 + its polygon; else 0.
    var owners: [Int32]
    var polygons: [Polygon] = []

    init(_ mask: RLE, bounds: Box<Int>) {
        let (width, height) = (bounds.width, bounds.height)
        var pixels = [Bool](repeating: false, count: width * height)
        mask.forEachColumnRun { column, rows in
            for row in rows { pixels[(row - bounds.y1) * width + column - bounds.x1] = true }
        }
        self.origin = Point(x: bounds.x1, y: bounds.y1)
        self.width = width
        self.height = height
        self.pixels = pixels
        self.owners = [Int32](repeating: 0, count: (width + 1) * height)
    }

    /// Visits vertical cracks in reading order. The first crack of a ring is its topmost, leftmost: entering the
    /// mask it starts an exterior, leaving it a hole of the polygon entered last on this row.
    mutating func trace() -> [Polygon] {
        for y in 0..<height {
            var entered = 0
            for x in 0...width {
                let (before, after) = (isSet(x - 1, y), isSet(x, y))
                guard before != after else { continue }
                let owner = Int(owners[y * (width + 1) + x])
                if after {
                    if owner == 0 {
                        polygons.append(Polygon(exterior: []))
                        let ring = follow(x: x, y: y + 1, .north, polygon: polygons.count - 1)
                        polygons[polygons.count - 1].exterior = ring
                        entered = polygons.count - 1
                    } else {
                        entered = owner - 1
                    }
                } else if owner == 0 {
                    let ring = follow(x: x, y: y, .south, polygon: entered)
                    polygons[entered].holes.append(ring)
                }
            }
        }
        return polygons
    }

    /// The corners of the ring through the crack that leaves (x, y) in the direction `heading`.
    private mutating func follow(x startX: Int, y startY: Int, _ start: Heading, polygon: Int) -> [Point] {
        var (x, y, heading) = (startX, startY, start)
        var ring: [Point] = []
        repeat {
            switch heading {
            case .east: x += 1
            case .west: x -= 1
            case .south:
                owners[y * (width + 1) + x] = Int32(polygon + 1)
                y += 1
            case .north:
                y -= 1
                owners[y * (width + 1) + x] = Int32(polygon + 1)
            }
            let next = turn(x: x, y: y, heading)
            if next != heading { ring.append(Point(x: x + origin.x, y: y + origin.y)) }
            heading = next
        } while x != startX || y != startY || heading != start
        return ring
    }

    /// Right where the pixel ahead on the right is clear (so that pixels touching at a corner stay apart), left where
    /// both pixels ahead are set, else straight on.
    private func turn(x: Int, y: Int, _ heading: Heading) -> Heading {
        let (left, right) =
            switch heading {
            case .east: (isSet(x, y - 1), isSet(x, y))
            case .south: (isSet(x, y), isSet(x - 1, y))
            case .west: (isSet(x - 1, y), isSet(x - 1, y - 1))
            case .north: (isSet(x - 1, y - 1), isSet(x, y - 1))
            }
        if !right { return rotated(heading, by: 1) }
        return left ? rotated(heading, by: 3) : heading
    }

    private func rotated(_ heading: Heading, by quarters: Int) -> Heading {
        Heading(rawValue: (heading.rawValue + quarters) % 4) ?? heading
    }

    private func isSet(_ x: Int, _ y: Int) -> Bool {
        x >= 0 && x < width && y >= 0 && y < height && pixels[y * width + x]
    }
}
