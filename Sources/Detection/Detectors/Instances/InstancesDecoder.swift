import TensorCore

/// Instances that the graph itself has decided on: torchvision's detectors exported whole, models by mmdeploy.
///
/// Output roles, D detections: `boxes` [D, 4] or [N, D, 4] and `scores` [D] or [N, D], or `dets` [N, D, 5]; `labels` [D] or [N, D];
/// optional `masks` [D, 1, h, w], [D, h, w] or [N, D, h, w]: maps over the network's input or one patch a box.
public struct InstancesDecoder: Detector {
    public let card: ModelCard
    private let parameters: InstancesParameters
    private let roles: OutputRoles

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        parameters = try InstancesParameters(card.parameters)
        let isMerged = card.outputs["dets"] != nil
        roles = try OutputRoles(
            card, required: isMerged ? ["dets", "labels"] : ["boxes", "scores", "labels"], optional: ["masks"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        try options.refuseSuppression(by: card.decoder)
        let heads = try InstancesOutputs(outputs, roles, batchIndex: batchIndex)
        let found = try detections(heads, options)
        let boxes = found.map { place($0.box, placement) }
        let masks = try masks(found, boxes, heads, placement, options: options, threads: threads)
        return instances(found, boxes, masks: masks.isEmpty ? nil : masks, placement)
    }

    /// Best first; of equal scores the earlier first.
    private func detections(
        _ heads: InstancesOutputs, _ options: DetectionOptions
    ) throws(SardonyxError) -> [NMS.Detection] {
        let floor = options.scoreThreshold ?? card.thresholds.score
        guard heads.count <= CandidateKey.maximumOrdinal else {
            throw SardonyxError(.limit, card.decoder, "detections", got: "\(heads.count)")
        }
        var candidates: [NMS.Detection] = []
        for index in 0..<heads.count where heads.score(index) > floor {
            let box = heads.box(index, parameters.corners)
            let label = try heads.labels.number(index)
            guard box.isNumber, label >= parameters.firstLabel else { continue }
            let classIndex = label - parameters.firstLabel
            guard classIndex < card.labels.count else {
                throw SardonyxError(
                    .input, "output '\(heads.labels.name)'", "a class that the card has no label for",
                    got: "\(label)",
                    allowed: "\(parameters.firstLabel) to \(parameters.firstLabel + card.labels.count - 1)")
            }
            candidates.append(
                NMS.Detection(anchor: index, classIndex: classIndex, score: heads.score(index), box: box))
        }
        return NMS.Detection.best(options.topK ?? card.thresholds.topK, of: candidates)
    }

    /// The box in the picture's pixels, inside it.
    private func place(_ box: Box<Float>, _ placement: Placement) -> Box<Float> {
        switch parameters.coordinates {
        case .input: placement.box(fromInput: box)
        case .relative:
            placement.box(fromRelative: box).scaled(width: placement.imageWidth, height: placement.imageHeight)
        case .picture: box.held(width: placement.imageWidth, height: placement.imageHeight)
        }
    }

    private func masks(
        _ found: [NMS.Detection], _ boxes: [Box<Float>], _ heads: InstancesOutputs, _ placement: Placement,
        options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> [RLE] {
        guard let masks = heads.masks, !found.isEmpty else { return [] }
        let threshold = options.maskThreshold ?? parameters.maskThreshold
        let sigmoid = parameters.maskActivation == .sigmoid
        switch parameters.maskExtent {
        case .input:
            return try MapMasks(
                columns: masks.columns, rows: masks.rows, placement: placement, sigmoid: sigmoid,
                threshold: threshold, threads: threads
            ).masks(found.map { masks.map($0.anchor) })
        case .box:
            var patches: [UnsafePointer<Float>] = []
            for detection in found { patches.append(try masks.patch(detection.anchor)) }
            return try PatchPaster(
                columns: masks.columns, rows: masks.rows, imageWidth: placement.imageWidth,
                imageHeight: placement.imageHeight, sigmoid: sigmoid, threshold: threshold, threads: threads
            ).masks(boxes: boxes, patches: patches)
        }
    }
}
