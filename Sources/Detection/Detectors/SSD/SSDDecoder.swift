import CKernels
import TensorCore

/// SSD (arXiv 1512.02325): the heads of torchvision's and similar models, before their post-processing.
///
/// Output roles, float32, batch N, A default boxes, C classes: `scores` [N, A, C + 1] (background first), `boxes`
/// [N, A, 4] offsets, optional `priors` [A, 4] or [1, A, 4]: centre x, y, width, height relative to the input.
public struct SSDDecoder: Detector {
    public let card: ModelCard
    private let parameters: SSDParameters
    private let roles: OutputRoles

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        parameters = try SSDParameters(card.parameters, hasPriors: card.outputs["priors"] != nil)
        roles = try OutputRoles(card, required: ["scores", "boxes"], optional: ["priors"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        let classes = card.labels.count
        let scores = try roles.floats("scores", of: outputs, batchIndex: batchIndex, rank: 2)
        let boxes = try roles.floats("boxes", of: outputs, batchIndex: batchIndex, rank: 2)
        let anchors = scores.dims[0]
        try scores.expect(values: scores.dims[1], wanted: 1 + classes, "background, \(classes) labels")
        try boxes.expect([anchors, 4])
        let priors = try priors(outputs, anchors: anchors, scores, placement)
        let coder = BoxCoder(
            centerVariance: parameters.variances[0], sizeVariance: parameters.variances[1],
            sizeLimit: BoxCoder.usualSizeLimit)
        let best = try best(scores, above: options.scoreThreshold ?? card.thresholds.score, threads: threads)
        let candidates = priors.withUnsafeBufferPointer { made in
            best.compactMap { candidate -> NMS.Detection? in
                let place = candidate.anchor * 4
                let prior = made[place..<place + 4]
                guard let prior = UnsafeBufferPointer(rebasing: prior).baseAddress else { return nil }
                let box = coder.decode(offset: boxes.values + place, prior: prior)
                guard box.isNumber else { return nil }
                return NMS.Detection(
                    candidate,
                    box: placement.box(fromRelative: box).scaled(
                        width: placement.imageWidth, height: placement.imageHeight))
            }
        }
        let found = try survivors(
            of: candidates, iouThreshold: parameters.iouThreshold, maximumDetections: parameters.maximumDetections,
            options)
        return instances(found, found.map(\.box), placement)
    }

    /// `[anchors, 4]`.
    private func priors(
        _ outputs: [String: Tensor], anchors: Int, _ scores: HeadTensor, _ placement: Placement
    ) throws(SardonyxError) -> [Float] {
        if let made = parameters.defaultBoxes {
            guard made.count == anchors else {
                throw SardonyxError(
                    .input, "output '\(scores.name)'", "default boxes", got: "\(anchors)",
                    allowed: "\(made.count), as the card's feature_sizes and aspect_ratios make them")
            }
            return made.values(placement)
        }
        let isBatched = try roles.output("priors", of: outputs).tensor.shape.rank == 3
        let priors = try roles.floats("priors", of: outputs, batchIndex: isBatched ? 0 : nil, rank: 2)
        try priors.expect([anchors, 4])
        return Array(UnsafeBufferPointer(start: priors.values, count: anchors * 4))
    }

    /// The best of each class.
    private func best(
        _ head: HeadTensor, above threshold: Float, threads: Int
    ) throws(SardonyxError) -> [Candidate] {
        let (anchors, columns) = (head.dims[0], head.dims[1])
        var best: [BestCandidates] = []
        for _ in 1..<columns {
            best.append(
                try BestCandidates(
                    limit: parameters.candidatesPerClass, above: threshold, anchors: anchors, classes: 1))
        }
        let activated = try Buffer(byteCount: anchors * columns * 4)
        defer { withExtendedLifetime(activated) {} }
        let scores = activated.pointer.assumingMemoryBound(to: Float.self)
        if parameters.activation == .softmax {
            sx_softmax(head.values, scores, Int64(anchors), Int64(columns), 1, false, Int32(clamping: threads))
        } else {
            parameters.activation.apply(head.values, count: anchors * columns, to: scores)
        }
        var keep = [UInt8](repeating: 0, count: anchors)
        sx_detect_candidates(
            scores, Int64(anchors), Int64(columns), threshold, &keep, Int32(clamping: threads))
        for anchor in 0..<anchors where keep[anchor] != 0 {
            let row = scores + anchor * columns + 1
            for index in 0..<columns - 1 { best[index].add(row[index], ordinal: anchor) }
        }
        return best.enumerated().flatMap { classIndex, best in
            best.best().map { Candidate(anchor: $0.ordinal, classIndex: classIndex, score: $0.score) }
        }
    }
}
