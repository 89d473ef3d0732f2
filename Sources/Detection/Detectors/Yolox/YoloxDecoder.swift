import Glibc
import TensorCore

/// YOLOX (arXiv 2107.08430) as its exporter writes it.
///
/// Output role `detections`, float32 [N, A, 5 + C]: centre x, y, width, height, then objectness and class scores in
/// 0 to 1. Boxes are left in cells (centre = (value + cell) stride, size = exp(value) stride) or decoded in the graph.
public struct YoloxDecoder: Detector {
    public let card: ModelCard
    private let parameters: YoloxParameters
    private let roles: OutputRoles

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        parameters = try YoloxParameters(card.parameters)
        roles = try OutputRoles(card, required: ["detections"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        let classes = card.labels.count
        let head = try roles.floats("detections", of: outputs, batchIndex: batchIndex, rank: 2)
        let (anchors, step) = (head.dims[0], head.dims[1])
        try head.expect(values: step, wanted: 5 + classes, "a box, objectness, \(classes) labels")
        let grid = try CellGrid(strides: parameters.strides, placement)
        if !parameters.isDecoded { try grid.expect(anchors, in: head) }
        let candidates = BestClass.ofRows(
            head.values + 4, classes: classes, anchors: anchors, step: step,
            above: options.scoreThreshold ?? card.thresholds.score, logits: false, threads: threads
        ).compactMap { candidate in
            let row = head.values + candidate.anchor * step
            return NMS.Detection(
                candidate, box: parameters.isDecoded ? Box(center: row) : box(row, of: candidate.anchor, in: grid))
        }
        let found = try survivors(
            of: candidates, iouThreshold: parameters.iouThreshold, maximumDetections: parameters.maximumDetections,
            options)
        return instances(found, found.map { placement.box(fromInput: $0.box) }, placement)
    }

    private func box(_ row: UnsafePointer<Float>, of anchor: Int, in grid: CellGrid) -> Box<Float> {
        let level = grid.level(of: anchor)
        let stride = Float(level.stride)
        let corner = level.point(anchor - level.first, offset: 0)
        return Box(
            centerX: corner.x + row[0] * stride, centerY: corner.y + row[1] * stride, width: expf(row[2]) * stride,
            height: expf(row[3]) * stride)
    }
}
