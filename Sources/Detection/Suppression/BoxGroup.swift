import CKernels

extension sx_detect_box {
    /// - Parameter extent: added to each side for the area.
    init(_ box: Box<Float>, extent: Float) {
        self.init(
            x1: box.x1, y1: box.y1, x2: box.x2, y2: box.y2,
            area: (box.x2 - box.x1 + extent) * (box.y2 - box.y1 + extent))
    }
}

/// Boxes that can suppress others, in the blocks of 16 that `sx_detect_overlaps` reads.
struct BoxGroup {
    private(set) var count = 0
    private var blocks: [Float] = []

    mutating func append(_ box: sx_detect_box) {
        let lanes = Int(SX_DETECT_LANES)
        let lane = count % lanes
        if lane == 0 { blocks.append(contentsOf: repeatElement(0, count: 5 * lanes)) }
        let start = count / lanes * 5 * lanes + lane
        blocks[start] = box.x1
        blocks[start + lanes] = box.y1
        blocks[start + 2 * lanes] = box.x2
        blocks[start + 3 * lanes] = box.y2
        blocks[start + 4 * lanes] = box.area
        count += 1
    }

    func overlaps(_ box: sx_detect_box, _ rule: sx_detect_overlap_rule) -> Bool {
        withUnsafePointer(to: box) { sx_detect_overlaps(blocks, Int64(count), $0, rule) }
    }
}
