import TensorCore

/// NanoDet and NanoDet-Plus (github.com/RangiLyu/nanodet): class scores, and the sides' distances as distributions.
///
/// Output roles, float32, batch N, C classes: `scores_S` [N, cells, C] in 0 to 1 and `boxes_S` [N, cells, 4 bins]
/// logits for each stride S, or `detections` [N, A, C + 4 bins] with all levels. Every class of every anchor is a
/// candidate; boxes are held inside the input.
public struct NanodetDecoder: Detector {
    public let card: ModelCard
    private let parameters: NanodetParameters
    private let roles: OutputRoles
    private let strides: [Int]
    private let isJoined: Bool

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        parameters = try NanodetParameters(card.parameters)
        isJoined = card.outputs["detections"] != nil
        strides = isJoined ? parameters.strides : OutputRoles.strides(of: "scores", in: card)
        roles = try OutputRoles(
            card,
            required: isJoined
                ? ["detections"] : OutputRoles.names("scores", strides) + OutputRoles.names("boxes", strides))
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        let grid = try CellGrid(strides: strides, placement)
        var candidates: [NMS.Detection] = []
        for level in try levels(outputs, batchIndex: batchIndex, grid) {
            candidates += try detections(
                level, above: options.scoreThreshold ?? card.thresholds.score, placement)
        }
        let found = try survivors(
            of: candidates, iouThreshold: parameters.iouThreshold, maximumDetections: parameters.maximumDetections,
            options)
        return instances(found, found.map { placement.box(fromInput: $0.box) }, placement)
    }

    /// One level's share of the outputs; the addresses are valid while the tensors live.
    private struct Level {
        let cells: CellGrid.Level
        let scores: UnsafePointer<Float>
        /// Elements from one cell's scores to the next's.
        let scoreStep: Int
        let distances: UnsafePointer<Float>
        let distanceStep: Int
        let bins: Int
    }

    private func levels(
        _ outputs: [String: Tensor], batchIndex: Int, _ grid: CellGrid
    ) throws(SardonyxError) -> [Level] {
        let classes = card.labels.count
        func output(_ role: String) throws(SardonyxError) -> HeadTensor {
            try roles.floats(role, of: outputs, batchIndex: batchIndex, rank: 2)
        }
        func bins(_ values: Int, in head: HeadTensor) throws(SardonyxError) -> Int {
            guard values >= 4, values % 4 == 0 else {
                throw SardonyxError(
                    .input, "output '\(head.name)'", "values of the distances", got: "\(values) in \(head.dims)",
                    allowed: "4 times the bins" + (isJoined ? ", after \(classes) labels" : ""))
            }
            return values / 4
        }
        if isJoined {
            let head = try output("detections")
            let step = head.dims[1]
            try grid.expect(head.dims[0], in: head)
            let bins = try bins(step - classes, in: head)
            return grid.levels.map { cells in
                let first = head.values + cells.first * step
                return Level(
                    cells: cells, scores: first, scoreStep: step, distances: first + classes, distanceStep: step,
                    bins: bins)
            }
        }
        var levels: [Level] = []
        for cells in grid.levels {
            let scores = try output("scores_\(cells.stride)")
            let distances = try output("boxes_\(cells.stride)")
            try scores.expect(values: scores.dims[1], wanted: classes, "\(classes) labels")
            try scores.expect([cells.count, nil])
            try distances.expect([cells.count, nil])
            levels.append(
                Level(
                    cells: cells, scores: scores.values, scoreStep: classes, distances: distances.values,
                    distanceStep: distances.dims[1], bins: try bins(distances.dims[1], in: distances)))
        }
        return levels
    }

    private func detections(
        _ level: Level, above threshold: Float, _ placement: Placement
    ) throws(SardonyxError) -> [NMS.Detection] {
        let classes = card.labels.count
        var best = try BestCandidates(
            limit: parameters.candidatesPerLevel, above: threshold, anchors: level.cells.count, classes: classes)
        if level.scoreStep == classes {
            best.add(level.scores, count: level.cells.count * classes, first: 0)
        } else {
            for cell in 0..<level.cells.count {
                best.add(level.scores + cell * level.scoreStep, count: classes, first: cell * classes)
            }
        }
        let distribution = DistanceDistribution(bins: level.bins)
        let stride = Float(level.cells.stride)
        return best.best().compactMap { found in
            let (cell, classIndex) = found.ordinal.quotientAndRemainder(dividingBy: classes)
            let box = distribution.box(
                level.distances + cell * level.distanceStep, step: 1,
                around: level.cells.point(cell, offset: parameters.centerOffset), stride: stride)
            return NMS.Detection(
                Candidate(anchor: level.cells.first + cell, classIndex: classIndex, score: found.score),
                box: box.isNumber ? box.held(width: placement.inputWidth, height: placement.inputHeight) : box)
        }
    }
}
