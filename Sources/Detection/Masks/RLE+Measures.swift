import TensorCore

extension RLE {
    /// The number of set pixels.
    public var area: Int {
        var area = 0
        forEachRun { start, end in area += end - start }
        return area
    }

    /// The smallest box around the set pixels, or `nil` if there are none.
    public var bounds: Box<Int>? {
        var box: Box<Int>?
        forEachColumnRun { column, rows in
            guard let known = box else {
                box = Box(x1: column, y1: rows.lowerBound, x2: column + 1, y2: rows.upperBound)
                return
            }
            // Columns come in ascending order.
            box = Box(
                x1: known.x1, y1: Swift.min(known.y1, rows.lowerBound),
                x2: column + 1, y2: Swift.max(known.y2, rows.upperBound))
        }
        return box
    }

    /// The number of pixels set in both masks.
    /// - Throws: `value` if the masks differ in size.
    public func intersectionArea(_ other: RLE) throws(SardonyxError) -> Int {
        guard width == other.width, height == other.height else {
            throw SardonyxError(
                .value, "RLE", "masks of different sizes", got: "\(width)×\(height) and \(other.width)×\(other.height)")
        }
        var area = 0
        var position = 0
        var (mine, theirs) = (0, 0)
        var (myEnd, theirEnd) = (Int(counts[0]), Int(other.counts[0]))
        while true {
            let end = Swift.min(myEnd, theirEnd)
            if mine % 2 == 1, theirs % 2 == 1 { area += end - position }
            position = end
            if myEnd == end {
                mine += 1
                guard mine < counts.count else { return area }
                myEnd += Int(counts[mine])
            }
            if theirEnd == end {
                theirs += 1
                guard theirs < other.counts.count else { return area }
                theirEnd += Int(other.counts[theirs])
            }
        }
    }

    /// Intersection over union; 0 when both masks are empty.
    /// - Parameter crowd: `other` is a crowd region: the union is this mask's own area (COCO `iscrowd`).
    /// - Throws: `value` if the masks differ in size.
    public func iou(with other: RLE, crowd: Bool = false) throws(SardonyxError) -> Double {
        let intersection = try intersectionArea(other)
        let union = crowd ? area : area + other.area - intersection
        return union == 0 ? 0 : Double(intersection) / Double(union)
    }
}
