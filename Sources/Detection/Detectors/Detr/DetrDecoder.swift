import TensorCore

/// DETR (arXiv 2005.12872) and its kin as Hugging Face exports them: queries with class logits and boxes, no NMS.
///
/// Output roles, Q queries, C classes: `logits` [N, Q, C + 1] (last: no object) under softmax, where every query has its
/// best class, or [N, Q, C] under sigmoid, where the best (query, class) pairs count; `boxes` [N, Q, 4], centre x, y,
/// width, height as shares of the picture (padding not counted); optional `masks` [N, Q, h, w], logits over the input.
public struct DetrDecoder: Detector {
    enum Activation: String, CaseIterable {
        case softmax, sigmoid
    }

    public let card: ModelCard
    private let roles: OutputRoles
    private let activation: Activation
    private let maximumDetections: Int

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        let section = CardSection("detr", card.parameters)
        try section.refuseKeys(beyond: ["activation", "max_detections"])
        activation = try section.choice("activation") ?? .softmax
        maximumDetections = try section.count("max_detections") ?? 100
        roles = try OutputRoles(card, required: ["logits", "boxes"], optional: ["masks"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        try options.refuseSuppression(by: card.decoder)
        let logits = try roles.floats("logits", of: outputs, batchIndex: batchIndex, rank: 2)
        let boxes = try roles.floats("boxes", of: outputs, batchIndex: batchIndex, rank: 2)
        let queries = logits.dims[0]
        try logits.expect([nil, card.labels.count + (activation == .softmax ? 1 : 0)])
        try boxes.expect([queries, 4])

        let found = try detections(logits, boxes, options)
        let placed = found.map {
            $0.box.scaled(width: placement.imageWidth, height: placement.imageHeight)
        }
        var masks: [RLE] = []
        if roles.has("masks") {
            let maps = try QueryMaps(
                roles.floats("masks", of: outputs, batchIndex: batchIndex, rank: 3), queries: queries)
            masks = try maps.masks(
                of: found.map(\.anchor), placement: placement, options: options, threads: threads)
        }
        return instances(found, placed, masks: masks.isEmpty ? nil : masks, placement)
    }

    /// Best first; of equal scores the earlier query, then the earlier class first.
    private func detections(
        _ logits: HeadTensor, _ boxes: HeadTensor, _ options: DetectionOptions
    ) throws(SardonyxError) -> [NMS.Detection] {
        let floor = options.scoreThreshold ?? card.thresholds.score
        let (queries, columns, classes) = (logits.dims[0], logits.dims[1], card.labels.count)
        try CandidateKey.requireOrdinals(for: queries, "queries", classes: classes, at: card.decoder)
        var scores = [Float](repeating: 0, count: columns)
        var candidates: [NMS.Detection] = []
        for query in 0..<queries {
            let box = Box(center: boxes.values + query * 4)
            guard box.isNumber else { continue }
            let row = logits.values + query * columns
            func add(_ classIndex: Int) {
                guard scores[classIndex] > floor else { return }
                candidates.append(
                    NMS.Detection(anchor: query, classIndex: classIndex, score: scores[classIndex], box: box))
            }
            switch activation {
            case .softmax:
                ScoreActivation.softmax.apply(row, count: columns, to: &scores)
                var best = 0
                for classIndex in 1..<classes where scores[classIndex] > scores[best] { best = classIndex }
                add(best)
            case .sigmoid:
                ScoreActivation.sigmoid.apply(row, count: columns, to: &scores)
                for classIndex in 0..<classes { add(classIndex) }
            }
        }
        return NMS.Detection.best(min(maximumDetections, options.topK ?? card.thresholds.topK), of: candidates)
    }
}
