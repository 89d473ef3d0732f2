import TensorCore

extension YoloDecoder {
    /// ultralytics' exports by their metadata (`task`, `names`, `imgsz`, `stride`), others by the shape of their one
    /// list of anchors.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        if let task = graph.metadata["task"], task != "detect", task != "segment" { return nil }
        guard let picture = graph.picture, let head = graph.onlyOutput(rank: 3),
            let seen = YoloShape(head, proto: graph.onlyOutput(rank: 4), graph),
            let input = try? input(picture, graph)
        else { return nil }
        let names = ClassNames(count: seen.classes, metadata: graph.metadata)
        var outputs = ["detections": head.name]
        if let proto = seen.proto { outputs["proto"] = proto }
        let isV5 = seen.layout == .v5
        let card = try? ModelCard(
            name: "yolo", decoder: "yolo", description: graph.metadata["description"], input: input, outputs: outputs,
            parameters: [
                "layout": .text(seen.layout.rawValue), "iou_threshold": .number(isV5 ? 0.45 : 0.7),
                "max_detections": .number(300),
            ], thresholds: ModelCard.Thresholds(score: 0.25, topK: 300), labels: names.labels,
            categoryIDs: names.categoryIDs)
        guard let card else { return nil }
        let geometry =
            "\(seen.isKnown ? "ultralytics' exporter wrote it" : "Assumed"): RGB in 0 to 1, the picture in the middle, "
            + "padded with 114."
        return CardProposal(card, seen.confidence, reasons: [seen.reason, geometry, names.reason])
    }

    private static func input(
        _ picture: GraphSignature.Port, _ graph: GraphSignature
    ) throws(SardonyxError) -> ModelCard.Input {
        let size = graph.metadata["imgsz"].flatMap(PythonLiteral.init)?.elements?.compactMap(\.integer) ?? []
        let (height, width) = size.count == 2 ? (size[0], size[1]) : (640, 640)
        let letterbox =
            if let fixed = graph.pictureSize {
                ImageGeometry.Letterbox(width: fixed.width, height: fixed.height)
            } else {
                ImageGeometry.Letterbox(
                    width: width, height: height, stride: graph.metadata["stride"].flatMap { Int($0) } ?? 32)
            }
        return try ModelCard.Input(
            name: picture.name, geometry: .letterbox(letterbox), padding: 114, std: [255, 255, 255])
    }
}

/// What an output's shape says about the layout.
private struct YoloShape {
    let layout: YoloLayout
    let classes: Int
    /// The prototypes' output.
    let proto: String?
    let confidence: CardProposal.Confidence
    let reason: String
    /// The metadata is ultralytics'.
    let isKnown: Bool

    init?(_ head: GraphSignature.Port, proto: GraphSignature.Port?, _ graph: GraphSignature) {
        guard let extents = head.extents, extents.count == 3 else { return nil }
        let coefficients = proto == nil ? 0 : proto?.extents?[1] ?? 32
        // Of planes and rows, what is left for the classes.
        let (planes, rows) = (
            extents[1].map { $0 - 4 - coefficients } ?? 0, extents[2].map { $0 - 5 - coefficients } ?? 0
        )
        let isDecided = extents[2] == 6 + coefficients
        self.proto = proto?.name
        let shape =
            "Output '\(head.name)' is [" + extents.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]"
        let anchors = GraphSignature.usualStrides.compactMap(graph.cells)

        if let names = ClassNames.names(in: graph.metadata), graph.metadata["task"] != nil {
            classes = names.count
            let anchorBased = extents[1].map { count in anchors.contains { count == 3 * $0 } }
            if planes == classes {
                layout = .v8
            } else if isDecided, classes != 1 || anchorBased == false {
                layout = .end2end
            } else if rows == classes {
                layout = .v5
            } else {
                return nil
            }
            (confidence, isKnown) = (.certain, true)
            reason = "The metadata is ultralytics' and \(shape): layout \(layout.rawValue) of \(classes) classes."
            return
        }
        isKnown = false
        if planes >= 1, let count = extents[2], anchors.contains(count) {
            (layout, classes, confidence) = (.v8, planes, .likely)
        } else if rows >= 1, let count = extents[1], anchors.contains(where: { count == 3 * $0 }) {
            (layout, classes, confidence) = (.v5, rows, .likely)
        } else if isDecided, extents[1] == 300 {
            (layout, classes, confidence) = (.end2end, 80, .guess)
        } else if rows >= 1, let count = extents[1], anchors.contains(count) {
            (layout, classes, confidence) = (.v5, rows, .guess)
        } else if planes >= 1, extents[2] == nil, head.name.hasPrefix("output") {
            (layout, classes, confidence) = (.v8, planes, .guess)
        } else if rows >= 1, extents[1] == nil, head.name.hasPrefix("output") {
            (layout, classes, confidence) = (.v5, rows, .guess)
        } else {
            return nil
        }
        let fit = confidence == .likely ? ", as many anchors as the input has cells" : ""
        reason = "\(shape)\(fit): layout \(layout.rawValue) of \(classes) classes."
    }
}
