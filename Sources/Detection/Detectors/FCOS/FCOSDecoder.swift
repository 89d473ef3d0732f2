import Glibc
import TensorCore

/// FCOS (arXiv 1904.01355): the heads of torchvision's and similar models, before their post-processing.
///
/// Output roles, float32, batch N, A cells, C classes: `scores` [N, A, C] logits, `boxes` [N, A, 4] distances to left,
/// top, right and bottom in strides, `centerness` [N, A, 1] logits. A score is √(σ(class) σ(centerness)), and every
/// class of every cell a candidate; boxes are held inside the picture.
public struct FCOSDecoder: Detector {
    public let card: ModelCard
    private let parameters: FCOSParameters
    private let roles: OutputRoles

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        parameters = try FCOSParameters(card.parameters)
        roles = try OutputRoles(card, required: ["scores", "boxes", "centerness"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        let classes = card.labels.count
        let scores = try roles.floats("scores", of: outputs, batchIndex: batchIndex, rank: 2)
        let boxes = try roles.floats("boxes", of: outputs, batchIndex: batchIndex, rank: 2)
        let centerness = try roles.floats("centerness", of: outputs, batchIndex: batchIndex, rank: 2)
        let grid = try CellGrid(strides: parameters.strides, placement)
        try scores.expect(values: scores.dims[1], wanted: classes, "\(classes) labels")
        try grid.expect(scores.dims[0], in: scores)
        try boxes.expect([grid.count, 4])
        try centerness.expect([grid.count, 1])
        let threshold = options.scoreThreshold ?? card.thresholds.score
        var candidates: [NMS.Detection] = []
        for cells in grid.levels {
            let best = try best(
                scores.values + cells.first * classes, centerness.values + cells.first, cells, above: threshold)
            candidates += best.compactMap { found in
                let (cell, classIndex) = found.ordinal.quotientAndRemainder(dividingBy: classes)
                let (corner, stride) = (cells.corner(cell), Float(cells.stride))
                let distances = boxes.values + (cells.first + cell) * 4
                let box = Box(
                    x1: corner.x - distances[0] * stride, y1: corner.y - distances[1] * stride,
                    x2: corner.x + distances[2] * stride, y2: corner.y + distances[3] * stride)
                guard box.isNumber else { return nil }
                return NMS.Detection(
                    anchor: cells.first + cell, classIndex: classIndex, score: found.score,
                    box: placement.box(fromInput: box))
            }
        }
        let found = try survivors(
            of: candidates, iouThreshold: parameters.iouThreshold, maximumDetections: parameters.maximumDetections,
            options)
        return instances(found, found.map(\.box), placement)
    }

    /// The best (cell, class) pairs of a level.
    private func best(
        _ scores: UnsafePointer<Float>, _ centerness: UnsafePointer<Float>, _ cells: CellGrid.Level,
        above threshold: Float
    ) throws(SardonyxError) -> [(score: Float, ordinal: Int)] {
        let classes = card.labels.count
        var best = try BestCandidates(
            limit: parameters.candidatesPerLevel, above: threshold, anchors: cells.count, classes: classes)
        for cell in 0..<cells.count {
            let factor = Sigmoid.of(centerness[cell])
            // A class logit at or below cannot reach the score that is asked for.
            let floor = Sigmoid.floor(of: best.floor * best.floor / factor)
            let row = scores + cell * classes
            for index in 0..<classes where row[index] > floor {
                best.add(sqrtf(Sigmoid.of(row[index]) * factor), ordinal: cell * classes + index)
            }
        }
        return best.best()
    }
}
