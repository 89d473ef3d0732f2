import Glibc
import TensorCore

/// SSD's default boxes relative to the input, as torchvision makes them (arXiv 1512.02325, section 2.2).
struct DefaultBoxes: Sendable, Hashable {
    /// Rows and columns of a level's cells, the scales and ratios of its boxes.
    struct Level: Sendable, Hashable {
        let rows: Int
        let columns: Int
        /// Width and height of each box of a cell.
        let sizes: [Size]
        /// Input pixels from a cell to the next; `nil`: the cells share the input evenly.
        let step: Float?
        let first: Int
        let count: Int
    }

    struct Size: Sendable, Hashable {
        let width: Float
        let height: Float
    }

    let levels: [Level]
    let count: Int

    /// - Parameters:
    ///   - featureSizes: rows and columns, one a level.
    ///   - scales: of boxes to the input, one a level and one more.
    ///   - aspectRatios: one list a level; each ratio makes two boxes.
    ///   - steps: one a level.
    ///   - clip: no box is wider or higher than the input.
    /// - Throws: `parse` for more boxes than can be counted.
    init(
        featureSizes: [(rows: Int, columns: Int)], scales: [Float], aspectRatios: [[Float]], steps: [Float]?, clip: Bool
    ) throws(SardonyxError) {
        var levels: [Level] = []
        var first = 0
        for (index, size) in featureSizes.enumerated() {
            let scale = scales[index]
            let between = sqrtf(scale * scales[index + 1])
            var sizes = [Size(width: scale, height: scale), Size(width: between, height: between)]
            for ratio in aspectRatios[index] {
                let (long, short) = (scale * sqrtf(ratio), scale / sqrtf(ratio))
                sizes += [Size(width: long, height: short), Size(width: short, height: long)]
            }
            if clip { sizes = sizes.map { Size(width: min($0.width, 1), height: min($0.height, 1)) } }
            guard let count = CheckedSize.product(size.rows, size.columns, sizes.count),
                let end = CheckedSize.sum(first, count), end <= CheckedSize.maximumElements
            else {
                throw .card("ssd.feature_sizes", "too many boxes", got: "\(size.rows) × \(size.columns)")
            }
            levels.append(
                Level(
                    rows: size.rows, columns: size.columns, sizes: sizes, step: steps?[index], first: first,
                    count: count))
            first = end
        }
        self.levels = levels
        count = first
    }

    /// `[count, 4]`: centre x, y, width, height.
    func values(_ placement: Placement) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count * 4)
        for level in levels {
            let across = level.step.map { Float(placement.inputWidth) / $0 } ?? Float(level.columns)
            let down = level.step.map { Float(placement.inputHeight) / $0 } ?? Float(level.rows)
            for row in 0..<level.rows {
                for column in 0..<level.columns {
                    let (x, y) = ((Float(column) + 0.5) / across, (Float(row) + 0.5) / down)
                    for size in level.sizes { values += [x, y, size.width, size.height] }
                }
            }
        }
        return values
    }
}
