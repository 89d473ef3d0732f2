import TensorCore

extension YoloDecoder {
    /// ultralytics' and YOLOv5's exports by their metadata (`task`, `names`, `imgsz`, `stride`, `end2end`, `args`),
    /// others by the shape of their one list of anchors.
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
            "\(seen.isKnown ? "As its exporter has it" : "Assumed"): RGB in 0 to 1, the picture in the middle, "
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

/// What the metadata and the detections' shape say about the layout.
private struct YoloShape {
    let layout: YoloLayout
    let classes: Int
    /// The prototypes' output.
    let proto: String?
    let confidence: CardProposal.Confidence
    let reason: String
    /// The metadata is an exporter's.
    let isKnown: Bool

    init?(_ head: GraphSignature.Port, proto: GraphSignature.Port?, _ graph: GraphSignature) {
        guard let extents = head.extents, extents.count == 3 else { return nil }
        self.proto = proto?.name
        let sizes = Sizes(
            extents: extents, coefficients: proto == nil ? 0 : proto?.extents?[1] ?? 32,
            cells: GraphSignature.usualStrides.compactMap(graph.cells))
        let exporter = Exporter(graph.metadata)
        guard let seen = exporter.map(sizes.layout(from:)) ?? sizes.layout(of: head),
            (1...ModelCard.maximumLabels).contains(seen.classes)
        else { return nil }
        (layout, classes, confidence) = seen
        isKnown = exporter != nil
        let shape =
            "Output '\(head.name)' is [" + extents.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]"
        let said = "layout \(layout.rawValue) of \(classes) classes."
        switch (isKnown, confidence) {
        case (true, .certain): reason = "The metadata is an exporter's of YOLO and \(shape): \(said)"
        case (true, _): reason = "The metadata is an exporter's of YOLO; \(shape), assumed in its usual \(said)"
        case (false, .likely): reason = "\(shape), as many anchors as the input has cells: \(said)"
        case (false, _): reason = "\(shape): \(said)"
        }
    }

    /// What the exporters of ultralytics (YOLOv8 and later) and of YOLOv5 write into a file.
    private struct Exporter {
        let classes: Int
        /// Only ultralytics' writes `task`.
        let isUltralytics: Bool
        /// The graph selects its detections itself.
        let isDecided: Bool

        init?(_ metadata: [String: String]) {
            guard let names = ClassNames.names(in: metadata), metadata["task"] != nil || metadata["stride"] != nil
            else {
                return nil
            }
            let (flag, arguments) = (
                metadata["end2end"].flatMap(PythonLiteral.init), metadata["args"].flatMap(PythonLiteral.init)
            )
            classes = names.count
            isUltralytics = metadata["task"] != nil
            isDecided = flag == .word("True") || arguments?["nms"] == .word("True")
        }
    }

    private typealias Layout = (layout: YoloLayout, classes: Int, confidence: CardProposal.Confidence)

    /// Extents of `[N, rows, columns]`.
    private struct Sizes {
        let extents: [Int?]
        let coefficients: Int
        /// Numbers of anchors that the input could have, with one a cell.
        let cells: [Int]

        /// Classes left of planes (layout v8) and of rows (layout v5); below 1 where the graph leaves it open.
        private var planes: Int { extents[1].map { $0 - 4 - coefficients } ?? 0 }
        private var rows: Int { extents[2].map { $0 - 5 - coefficients } ?? 0 }
        private var isDecided: Bool { extents[2] == 6 + coefficients }
        private var hasAnchorsOfV5: Bool { extents[1].map { count in cells.contains { count == 3 * $0 } } ?? false }

        func layout(from exporter: Exporter) -> Layout? {
            let classes = exporter.classes
            if exporter.isDecided, isDecided || extents[2] == nil { return (.end2end, classes, .certain) }
            if planes == classes { return (.v8, classes, .certain) }
            if isDecided, classes != 1 || !hasAnchorsOfV5 { return (.end2end, classes, .certain) }
            if rows == classes { return (.v5, classes, .certain) }
            guard extents[1] == nil, extents[2].map({ cells.contains($0) }) ?? true else { return nil }
            return (exporter.isUltralytics || extents[2] != nil ? .v8 : .v5, classes, .likely)
        }

        func layout(of head: GraphSignature.Port) -> Layout? {
            if planes >= 1, let count = extents[2], cells.contains(count) { return (.v8, planes, .likely) }
            if rows >= 1, hasAnchorsOfV5 { return (.v5, rows, .likely) }
            if isDecided, extents[1] == 300 { return (.end2end, 80, .guess) }
            if rows >= 1, let count = extents[1], cells.contains(count) { return (.v5, rows, .guess) }
            guard head.name.hasPrefix("output") else { return nil }
            if planes >= 1, extents[2] == nil { return (.v8, planes, .guess) }
            return rows >= 1 && extents[1] == nil ? (.v5, rows, .guess) : nil
        }
    }
}
