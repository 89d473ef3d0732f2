import TensorCore

/// RetinaNet (arXiv 1708.02002): the heads of torchvision's and similar models, before their post-processing.
///
/// Output roles, float32, batch N, A anchors, C classes: `scores` [N, A, C], `boxes` [N, A, 4] offsets from the anchors
/// of `AnchorGenerator`. Every class of every anchor is a candidate; boxes are held inside the picture.
public struct RetinaNetDecoder: Detector {
    public let card: ModelCard
    private let parameters: RetinaNetParameters
    private let roles: OutputRoles

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        parameters = try RetinaNetParameters(card.parameters)
        roles = try OutputRoles(card, required: ["scores", "boxes"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        let classes = card.labels.count
        let scores = try roles.floats("scores", of: outputs, batchIndex: batchIndex, rank: 2)
        let boxes = try roles.floats("boxes", of: outputs, batchIndex: batchIndex, rank: 2)
        try scores.expect(values: scores.dims[1], wanted: classes, "\(classes) labels")
        try boxes.expect([scores.dims[0], 4])
        let grid = try CellGrid(strides: parameters.strides, placement)
        let anchors = try AnchorGenerator(grid, sizes: parameters.sizes, aspectRatios: parameters.aspectRatios)
        guard anchors.count == scores.dims[0] else {
            throw SardonyxError(
                .input, "output '\(scores.name)'", "anchors", got: "\(scores.dims[0])",
                allowed: "\(anchors.count), as the card's strides, sizes and aspect_ratios make them")
        }
        let threshold = options.scoreThreshold ?? card.thresholds.score
        let isLogit = parameters.activation == .sigmoid
        let floor = isLogit ? Sigmoid.floor(of: threshold) : threshold
        let coder = BoxCoder(centerVariance: 1, sizeVariance: 1, sizeLimit: BoxCoder.usualSizeLimit)
        var candidates: [NMS.Detection] = []
        for level in anchors.levels {
            var best = try BestCandidates(
                limit: parameters.candidatesPerLevel, above: floor, anchors: level.count, classes: classes)
            best.add(scores.values + level.first * classes, count: level.count * classes, first: 0)
            candidates += best.best().compactMap { found in
                let (anchor, classIndex) = found.ordinal.quotientAndRemainder(dividingBy: classes)
                let score = isLogit ? Sigmoid.of(found.score) : found.score
                let box = coder.decode(
                    offset: boxes.values + (level.first + anchor) * 4, prior: level.box(anchor))
                guard score > threshold, box.isNumber else { return nil }
                return NMS.Detection(
                    anchor: level.first + anchor, classIndex: classIndex, score: score,
                    box: placement.box(fromInput: box))
            }
        }
        let found = try survivors(
            of: candidates, iouThreshold: parameters.iouThreshold, maximumDetections: parameters.maximumDetections,
            options)
        return instances(found, found.map(\.box), placement)
    }
}
