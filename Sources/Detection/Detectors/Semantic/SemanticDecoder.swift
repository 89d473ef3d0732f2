import TensorCore

/// Semantic segmentation: every pixel has its best class, and the pixels of a class are one instance.
///
/// Output role `logits` [N, C, h, w] over the input. A score is the mean softmax probability of the class's pixels.
public struct SemanticDecoder: Detector {
    public let card: ModelCard
    private let roles: OutputRoles
    /// The class of the logits that is no object; the card's labels name it or leave it out.
    private let background: Int?

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        let section = CardSection("semantic", card.parameters)
        try section.refuseKeys(beyond: ["background"])
        background = try section.index("background")
        if let background, background > card.labels.count {
            throw .card(
                "semantic.background", "no class of the logits", got: "\(background)",
                allowed: "0 to \(card.labels.count)")
        }
        roles = try OutputRoles(card, required: ["logits"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        try options.refuseSuppression(by: card.decoder)
        let logits = try roles.floats("logits", of: outputs, batchIndex: batchIndex, rank: 3)
        let classes = card.labels.count
        let isUnnamed = background != nil && logits.dims[0] == classes + 1
        try logits.expect([isUnnamed ? classes + 1 : classes, nil, nil])
        try logits.expectNotEmpty()

        let floor = options.scoreThreshold ?? card.thresholds.score
        let regions = try ClassMap(logits, placement, threads: threads).regions().filter {
            $0.classIndex != background && $0.score > floor
        }
        let keys = regions.indices.map { CandidateKey.make(regions[$0].score, ordinal: $0, reversed: false) }
        let best = CandidateQueue.best(options.topK ?? card.thresholds.topK, of: keys)
        return Instances(
            best.compactMap { index in
                let region = regions[index]
                guard let bounds = region.mask.bounds else { return nil }
                let isAfter = isUnnamed && background.map { region.classIndex > $0 } ?? false
                return Instance(
                    card, classIndex: region.classIndex - (isAfter ? 1 : 0), score: region.score,
                    exactBox: Box(bounds), mask: region.mask)
            }, placement)
    }
}
