import Glibc
import TensorCore

/// RetinaNet's anchors: some boxes of fixed sizes around the corner of every cell, as torchvision makes them
/// (arXiv 1708.02002, section 4).
struct AnchorGenerator: Sendable {
    struct Level: Sendable {
        let cells: CellGrid.Level
        /// Around a cell's corner.
        fileprivate let boxes: [Box<Float>]
        /// The level's first anchor among all.
        let first: Int
        let count: Int

        /// In input pixels.
        /// - Parameter anchor: of this level, from 0.
        func box(_ anchor: Int) -> Box<Float> {
            let (cell, kind) = anchor.quotientAndRemainder(dividingBy: boxes.count)
            let (corner, box) = (cells.corner(cell), boxes[kind])
            return Box(x1: corner.x + box.x1, y1: corner.y + box.y1, x2: corner.x + box.x2, y2: corner.y + box.y2)
        }
    }

    let levels: [Level]

    /// - Parameters:
    ///   - sizes: square roots of the areas, one list a level of `grid`.
    ///   - aspectRatios: height / width.
    /// - Throws: `limit` for too many anchors.
    init(_ grid: CellGrid, sizes: [[Float]], aspectRatios: [Float]) throws(SardonyxError) {
        var levels: [Level] = []
        var first = 0
        for (cells, sizes) in zip(grid.levels, sizes) {
            let boxes = AnchorGenerator.boxes(sizes: sizes, aspectRatios: aspectRatios)
            guard let count = CheckedSize.product(cells.count, boxes.count), let end = CheckedSize.sum(first, count)
            else { throw SardonyxError(.limit, "anchors", "too many", got: "\(cells.count) cells of \(boxes.count)") }
            levels.append(Level(cells: cells, boxes: boxes, first: first, count: count))
            first = end
        }
        self.levels = levels
    }

    var count: Int { levels.last.map { $0.first + $0.count } ?? 0 }

    /// Ratios outside, sizes inside, corners rounded to whole pixels.
    static func boxes(sizes: [Float], aspectRatios: [Float]) -> [Box<Float>] {
        aspectRatios.flatMap { ratio in
            let (height, width) = (sqrtf(ratio), 1 / sqrtf(ratio))
            return sizes.map { size in
                let right = (width * size / 2).rounded(.toNearestOrEven)
                let bottom = (height * size / 2).rounded(.toNearestOrEven)
                return Box(x1: -right, y1: -bottom, x2: right, y2: bottom)
            }
        }
    }
}
