/// Finds places for label tags: at their boxes, inside the picture, apart from each other where there is room.
struct LabelLayout {
    let width: Float
    let height: Float
    private var taken: [Frame] = []

    init(width: Int, height: Int) {
        (self.width, self.height) = (Float(width), Float(height))
    }

    /// The place of a tag of this size for a box; the best-ranked label must be placed first.
    mutating func place(width tagWidth: Float, height tagHeight: Float, at box: Frame) -> Frame {
        var best = Frame(left: 0, top: 0, right: tagWidth, bottom: tagHeight)
        var least = Float.infinity
        for (left, top) in corners(tagWidth, tagHeight, box) {
            let x = max(0, min(left, width - tagWidth)).rounded()
            let y = max(0, min(top, height - tagHeight)).rounded()
            let frame = Frame(left: x, top: y, right: x + tagWidth, bottom: y + tagHeight)
            let overlap = taken.reduce(0) { $0 + $1.overlap(frame) }
            if overlap < least { (best, least) = (frame, overlap) }
            if overlap == 0 { break }
        }
        taken.append(best)
        return best
    }

    /// Top left corners to try, best first: above the box, inside its top, below, inside its bottom, then down its
    /// left side.
    private func corners(_ tagWidth: Float, _ tagHeight: Float, _ box: Frame) -> [(Float, Float)] {
        let right = box.right - tagWidth
        var corners: [(Float, Float)] = []
        for top in [box.top - tagHeight, box.top, box.bottom, box.bottom - tagHeight] {
            corners += [(box.left, top), (right, top)]
        }
        var top = box.top + tagHeight
        for _ in 0..<12 where top + tagHeight < box.bottom {
            corners += [(box.left, top), (right, top)]
            top += tagHeight
        }
        return corners
    }
}
