import TensorCore

/// Layout `v5-raw`: a stride `[a, h, w, 5 + C + K]`, logits of offsets, objectness and classes.
///
/// centre = (2 σ(xy) − 0.5 + cell) stride, size = (2 σ(wh))² anchor.
struct YoloAnchorLevels: YoloHead {
    private struct Level {
        let values: UnsafePointer<Float>
        let cells: CellGrid.Level
        /// Width and height of each anchor of a cell.
        let sizes: [Float]
        /// The level's first anchor among all.
        let first: Int
        let count: Int
    }

    private let levels: [Level]
    private let classes: Int
    private let step: Int

    /// - Parameters:
    ///   - heads: one a level of `grid`.
    ///   - anchors: one list a level.
    init(
        _ heads: [HeadTensor], _ grid: CellGrid, anchors: [[Float]], classes: Int, prototypes: Int
    ) throws(SardonyxError) {
        self.classes = classes
        step = 5 + classes + prototypes
        var levels: [Level] = []
        var first = 0
        for (index, head) in heads.enumerated() {
            let cells = grid.levels[index]
            try head.expect(
                values: head.dims[3], wanted: step,
                "a box, objectness, \(classes) labels, \(prototypes) mask coefficients")
            let perCell = anchors[index].count / 2
            try head.expect([perCell, cells.rows, cells.columns, nil])
            // As many as the output has rows, so no overflow.
            let count = perCell * cells.count
            levels.append(
                Level(values: head.values, cells: cells, sizes: anchors[index], first: first, count: count))
            first += count
        }
        self.levels = levels
    }

    func detections(above threshold: Float, threads: Int) -> [NMS.Detection] {
        levels.flatMap { level in
            BestClass.ofRows(
                level.values + 4, classes: classes, anchors: level.count, step: step, above: threshold, logits: true,
                threads: threads
            ).compactMap { found in
                NMS.Detection(
                    Candidate(anchor: level.first + found.anchor, classIndex: found.classIndex, score: found.score),
                    box: box(of: found.anchor, in: level))
            }
        }
    }

    private func box(of anchor: Int, in level: Level) -> Box<Float> {
        let row = level.values + anchor * step
        let (kind, cell) = anchor.quotientAndRemainder(dividingBy: level.cells.count)
        let stride = Float(level.cells.stride)
        let corner = level.cells.point(cell, offset: -0.5)
        let (width, height) = (2 * Sigmoid.of(row[2]), 2 * Sigmoid.of(row[3]))
        return Box(
            centerX: corner.x + 2 * Sigmoid.of(row[0]) * stride, centerY: corner.y + 2 * Sigmoid.of(row[1]) * stride,
            width: width * width * level.sizes[2 * kind], height: height * height * level.sizes[2 * kind + 1])
    }

    func coefficients(of anchor: Int) -> (first: UnsafePointer<Float>, step: Int) {
        let level = levels.last { $0.first <= anchor } ?? levels[0]
        return (level.values + (anchor - level.first) * step + 5 + classes, 1)
    }
}

/// Layout `v8-raw`: a stride `[4 bins + C, h, w]`, logits of distances and classes; coefficients apart, `[K, A]`.
struct YoloDistributionLevels: YoloHead {
    private let values: [UnsafePointer<Float>]
    private let grid: CellGrid
    private let distribution: DistanceDistribution
    private let classes: Int
    private let coefficients: UnsafePointer<Float>?

    /// - Parameter heads: one a level of `grid`.
    init(
        _ heads: [HeadTensor], _ grid: CellGrid, coefficients: HeadTensor?, classes: Int, prototypes: Int
    ) throws(SardonyxError) {
        let bins = (heads[0].dims[0] - classes) / 4
        guard bins >= 1 else {
            throw SardonyxError(
                .input, "output '\(heads[0].name)'", "values an anchor", got: "\(heads[0].dims)",
                allowed: "\(classes) labels and 4 distances of 1 bin or more")
        }
        for (head, cells) in zip(heads, grid.levels) {
            try head.expect(
                values: head.dims[0], wanted: 4 * bins + classes, "4 distances of \(bins) bins, \(classes) labels")
            try head.expect([nil, cells.rows, cells.columns])
        }
        try coefficients?.expect([prototypes, grid.count])
        values = heads.map(\.values)
        self.grid = grid
        distribution = DistanceDistribution(bins: bins)
        self.classes = classes
        self.coefficients = coefficients?.values
    }

    func detections(above threshold: Float, threads: Int) -> [NMS.Detection] {
        let floor = Sigmoid.floor(of: threshold)
        return zip(values, grid.levels).flatMap { values, cells in
            BestClass.ofPlanes(
                values + 4 * distribution.bins * cells.count, classes: classes, anchors: cells.count, above: floor,
                threads: threads
            ).compactMap { found -> NMS.Detection? in
                let score = Sigmoid.of(found.score)
                guard score > threshold else { return nil }
                return NMS.Detection(
                    Candidate(anchor: cells.first + found.anchor, classIndex: found.classIndex, score: score),
                    box: distribution.box(
                        values + found.anchor, step: cells.count, around: cells.point(found.anchor, offset: 0.5),
                        stride: Float(cells.stride)))
            }
        }
    }

    func coefficients(of anchor: Int) -> (first: UnsafePointer<Float>, step: Int) {
        ((coefficients ?? values[0]) + anchor, grid.count)
    }
}
