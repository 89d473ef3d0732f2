import TensorCore

/// Classification: the best classes of the whole picture, without masks.
///
/// Output role `logits` [N, C].
public struct ClassificationDecoder: Detector {
    public let card: ModelCard
    private let roles: OutputRoles
    private let activation: ScoreActivation

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        let section = CardSection("classification", card.parameters)
        try section.refuseKeys(beyond: ["activation"])
        activation = try section.choice("activation") ?? .softmax
        roles = try OutputRoles(card, required: ["logits"])
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        try options.refuseSuppression(by: card.decoder)
        let logits = try roles.floats("logits", of: outputs, batchIndex: batchIndex, rank: 1)
        try logits.expect([card.labels.count])

        var scores = [Float](repeating: 0, count: card.labels.count)
        activation.apply(logits.values, count: scores.count, to: &scores)
        let floor = options.scoreThreshold ?? card.thresholds.score
        let keys = scores.indices.filter { scores[$0] > floor }.map {
            CandidateKey.make(scores[$0], ordinal: $0, reversed: false)
        }
        let whole = Box(x1: 0, y1: 0, x2: Float(placement.imageWidth), y2: Float(placement.imageHeight))
        return Instances(
            CandidateQueue.best(options.topK ?? card.thresholds.topK, of: keys).map { index in
                Instance(card, classIndex: index, score: scores[index], exactBox: whole, mask: nil)
            }, placement)
    }
}
