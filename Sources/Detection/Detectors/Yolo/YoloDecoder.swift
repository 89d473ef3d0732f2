import TensorCore

/// YOLOv5, YOLOv8 and their kin as ultralytics exports them, boxes and, with prototypes, masks.
///
/// Output roles, float32, batch N, A anchors, C classes, K prototypes: `detections` as its layout says (`YoloLayout`)
/// or `head_8`, `head_16`, … a stride; optional `proto` [N, K, h, w], and with it for `v8-raw` `coefficients`
/// [N, K, A]. Each anchor counts with its best class. A mask is coefficients · prototypes, resampled to the picture,
/// above 0, cut at its box.
public struct YoloDecoder: Detector {
    public let card: ModelCard
    private let parameters: YoloParameters
    private let roles: OutputRoles
    /// Of the raw heads.
    private let strides: [Int]

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        parameters = try YoloParameters(card.parameters)
        let isRaw = parameters.layout == .v5Raw || parameters.layout == .v8Raw
        strides = isRaw ? OutputRoles.strides(of: "head", in: card) : []
        var required = isRaw ? OutputRoles.names("head", strides) : ["detections"]
        if parameters.layout == .v8Raw, card.outputs["proto"] != nil { required.append("coefficients") }
        roles = try OutputRoles(card, required: required, optional: ["proto"])
        if parameters.layout == .v5Raw, parameters.anchors.count != strides.count {
            throw .card(
                "yolo.anchors", "lists", got: "\(parameters.anchors.count)",
                allowed: "\(strides.count), one a head (strides \(strides))")
        }
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        var proto: HeadTensor?
        if roles.has("proto") {
            proto = try roles.floats("proto", of: outputs, batchIndex: batchIndex, rank: 3)
            try proto?.expectNotEmpty()
        }
        let head = try head(outputs, batchIndex: batchIndex, prototypes: proto?.dims[0] ?? 0, placement)
        let found = try survivors(
            of: try head.detections(above: options.scoreThreshold ?? card.thresholds.score, threads: threads), options)
        let boxes = found.map { placement.box(fromInput: $0.box) }
        guard let proto else { return instances(found, boxes, placement) }
        let masks = try masks(found, boxes, head, proto, placement, options: options, threads: threads)
        return instances(found, boxes, masks: masks, placement)
    }

    private func head(
        _ outputs: [String: Tensor], batchIndex: Int, prototypes: Int, _ placement: Placement
    ) throws(SardonyxError) -> any YoloHead {
        let classes = card.labels.count
        func output(_ role: String, rank: Int) throws(SardonyxError) -> HeadTensor {
            try roles.floats(role, of: outputs, batchIndex: batchIndex, rank: rank)
        }
        func levels(rank: Int) throws(SardonyxError) -> [HeadTensor] {
            var heads: [HeadTensor] = []
            for role in OutputRoles.names("head", strides) { heads.append(try output(role, rank: rank)) }
            return heads
        }
        switch parameters.layout {
        case .v8:
            return try YoloPlanes(try output("detections", rank: 2), classes: classes, prototypes: prototypes)
        case .v5:
            return try YoloRows(try output("detections", rank: 2), classes: classes, prototypes: prototypes)
        case .end2end:
            return try YoloDecided(try output("detections", rank: 2), classes: classes, prototypes: prototypes)
        case .v5Raw:
            return try YoloAnchorLevels(
                try levels(rank: 4), try CellGrid(strides: strides, placement), anchors: parameters.anchors,
                classes: classes, prototypes: prototypes)
        case .v8Raw:
            return try YoloDistributionLevels(
                try levels(rank: 3), try CellGrid(strides: strides, placement),
                coefficients: prototypes == 0 ? nil : try output("coefficients", rank: 2), classes: classes,
                prototypes: prototypes)
        }
    }

    /// What the graph has decided is suppressed only when the caller asks for it.
    private func survivors(
        of candidates: [NMS.Detection], _ options: DetectionOptions
    ) throws(SardonyxError) -> [NMS.Detection] {
        try survivors(
            of: candidates,
            iouThreshold: parameters.layout == .end2end && options.nms == nil ? .infinity : parameters.iouThreshold,
            maximumDetections: parameters.maximumDetections, options)
    }

    private func masks(
        _ found: [NMS.Detection], _ boxes: [Box<Float>], _ head: any YoloHead, _ proto: HeadTensor,
        _ placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> [RLE] {
        guard !found.isEmpty else { return [] }
        let (count, height, width) = (proto.dims[0], proto.dims[1], proto.dims[2])
        let prototypes = try PrototypeColumns(
            proto.values, height: height, width: width, count: count, order: .channelsFirst, threads: threads)
        let assembler = try MaskAssembler(
            prototypes: prototypes, placement: placement, crop: options.cropsMasks ? .picture : .none, sigmoid: false,
            threshold: options.maskThreshold.map(Sigmoid.logit) ?? 0, threads: threads)
        // At most as many as the outputs hold.
        let gathered = try Buffer(byteCount: found.count * count * 4)
        defer { withExtendedLifetime(gathered) {} }
        let rows = gathered.pointer.assumingMemoryBound(to: Float.self)
        for (index, detection) in found.enumerated() {
            let source = head.coefficients(of: detection.anchor)
            for element in 0..<count { rows[index * count + element] = source.first[element * source.step] }
        }
        return try assembler.masks(
            boxes: boxes, coefficients: found.indices.map { UnsafePointer(rows + $0 * count) })
    }
}
