import CKernels
import TensorCore

/// YOLACT (arXiv 1904.02689): prior boxes, softmax scores, mask coefficients and prototypes become instances.
///
/// Output roles, float32, batch N, P priors, C classes, K prototypes:
/// `loc` [N, P, 4], `conf` [N, P, C + 1] (background first), `mask` [N, P, K], `priors` [P, 4], `proto` [N, h, w, K].
public struct YolactDecoder: Detector {
    public let card: ModelCard
    private let parameters: YolactParameters
    let roles: OutputRoles

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        self.parameters = try YolactParameters(card.parameters)
        self.roles = try OutputRoles(card, required: YolactOutputs.roles)
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        let heads = try YolactOutputs(outputs, roles, batchIndex: batchIndex, classes: card.labels.count)

        let scoreThreshold = options.scoreThreshold ?? card.thresholds.score
        var found = (options.nms ?? .fast).select(
            try anchors(heads, threads: threads),
            NMS.Parameters(
                confidenceThreshold: parameters.confidenceThreshold, iouThreshold: parameters.nmsIoUThreshold,
                topK: parameters.nmsTopK, maximumDetections: parameters.maximumDetections,
                scoreThreshold: scoreThreshold, inputWidth: Float(placement.inputWidth),
                inputHeight: Float(placement.inputHeight)))
        found = Array(found.prefix(options.topK ?? card.thresholds.topK))

        let masks = try masks(found, heads, placement, options: options, threads: threads)
        let instances = found.indices.map { index in
            Instance(
                card, classIndex: found[index].classIndex, score: found[index].score,
                exactBox: placement.box(fromRelative: found[index].box)
                    .scaled(width: placement.imageWidth, height: placement.imageHeight),
                mask: masks[index])
        }
        return Instances(instances, placement)
    }

    /// Anchors with a foreground score above the confidence threshold, their boxes decoded; those whose box is not a
    /// number are left out.
    func anchors(_ heads: YolactOutputs, threads: Int) throws(SardonyxError) -> NMS.Anchors {
        var keep = [UInt8](repeating: 0, count: heads.priorCount)
        sx_detect_candidates(
            heads.conf, Int64(heads.priorCount), Int64(heads.classes + 1), parameters.confidenceThreshold, &keep,
            Int32(clamping: threads))
        let coder = BoxCoder(centerVariance: parameters.variances[0], sizeVariance: parameters.variances[1])
        var rows: [Int] = []
        var boxes: [Box<Float>] = []
        for row in keep.indices where keep[row] != 0 {
            let box = coder.decode(offset: heads.loc + row * 4, prior: heads.priors + row * 4)
            guard box.isNumber else { continue }
            rows.append(row)
            boxes.append(box)
        }
        try CandidateKey.requireOrdinals(for: rows.count, "anchors", classes: heads.classes, at: "NMS")
        return NMS.Anchors(
            boxes: boxes, rows: rows,
            scores: UnsafeBufferPointer(start: heads.conf, count: heads.priorCount * (heads.classes + 1)),
            classes: heads.classes)
    }

    func masks(
        _ found: [NMS.Detection], _ heads: YolactOutputs, _ placement: Placement,
        options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> [RLE] {
        guard !found.isEmpty else { return [] }
        let prototypes = try PrototypeColumns(
            heads.proto, height: heads.protoHeight, width: heads.protoWidth, count: heads.prototypes,
            threads: threads)
        let assembler = try MaskAssembler(
            prototypes: prototypes, placement: placement,
            crop: options.cropsMasks ? .prototypes : .none, sigmoid: true,
            threshold: options.maskThreshold ?? parameters.maskThreshold, threads: threads)
        return try assembler.masks(
            boxes: found.map(\.box), coefficients: found.map { heads.mask + $0.anchor * heads.prototypes })
    }
}
