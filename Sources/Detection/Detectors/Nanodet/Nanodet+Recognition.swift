import TensorCore

/// The facts about NanoDet's exports and configurations are those of github.com/RangiLyu/nanodet, `config/`.
extension NanodetDecoder {
    /// NanoDet by two outputs a stride, class scores and distances; or one output of both, which is NanoDet-Plus's over
    /// four strides and NanoDet's over three.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let seen = graph.outputs.count == 1 ? joined(graph) : split(graph) else {
            return nil
        }
        let size = graph.pictureSize ?? seen.size
        let names = ClassNames(count: seen.classes, metadata: graph.metadata)
        // `keep_ratio` is false in all configurations of NanoDet-Plus and true in all of NanoDet, which warps pictures
        // into the middle of black.
        let geometry =
            seen.isPlus
            ? ImageGeometry.stretch(width: size.width, height: size.height)
            : .letterbox(ImageGeometry.Letterbox(width: size.width, height: size.height))
        var parameters: [String: CardValue] = [
            "center_offset": .number(seen.isPlus ? 0 : 0.5), "iou_threshold": .number(0.6),
            "max_detections": .number(100),
        ]
        if seen.outputs["detections"] != nil {
            parameters["strides"] = .list(seen.strides.map { .number(Double($0)) })
        }
        let card = try? ModelCard(
            name: "nanodet", decoder: "nanodet",
            input: ModelCard.Input(
                name: picture.name, geometry: geometry, padding: seen.isPlus ? nil : 0, channels: .bgr,
                mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395]), outputs: seen.outputs,
            parameters: parameters, thresholds: ModelCard.Thresholds(score: 0.35, topK: 100), labels: names.labels,
            categoryIDs: names.categoryIDs)
        guard let card else { return nil }
        return CardProposal(card, seen.confidence, reasons: [seen.reason, seen.assumption, names.reason])
    }

    private struct Seen {
        let classes: Int
        let bins: Int
        let strides: [Int]
        let outputs: [String: String]
        let isPlus: Bool
        let confidence: CardProposal.Confidence
        /// Where the graph leaves it open.
        let size: (width: Int, height: Int)

        var reason: String {
            let values = "\(classes) classes and 4 times \(bins) bins"
            return outputs["detections"] == nil
                ? "Two outputs a stride, \(values), are NanoDet's; strides \(strides)."
                : "One output of \(values) over the strides \(strides) is NanoDet\(isPlus ? "-Plus" : "")'s."
        }

        var assumption: String {
            isPlus
                ? "Assumed as in its configurations: BGR with NanoDet's mean and deviation, the picture stretched."
                : "Assumed as in its configurations: BGR, the picture in the middle, padded with black; the mean and "
                    + "deviation of all but EfficientNet-Lite's (127 and 128)."
        }
    }

    /// Bins of a side: `reg_max` is 7 in NanoDet-Plus, NanoDet-m and EfficientNet-Lite0, 10 in NanoDet-g,
    /// EfficientNet-Lite1 and 2 and RepVGG.
    private static let usualBins = [8, 11]

    /// One output `[N, A, C + 4 bins]`; three strides only by the exporter's names: YOLOX's output has that shape too.
    private static func joined(_ graph: GraphSignature) -> Seen? {
        guard let head = graph.onlyOutput(rank: 3), let extents = head.extents, let values = extents[2],
            let anchors = extents[1]
        else { return nil }
        let isPlus = anchors == graph.cells([8, 16, 32, 64])
        let isNamed = graph.picture?.name == "data" && head.name == "output"
        let strides = isPlus ? [8, 16, 32, 64] : [8, 16, 32]
        guard isPlus || (isNamed && anchors == graph.cells(strides)) else { return nil }
        // COCO's 80 classes tell 11 bins from 8.
        let bins = !isPlus && values == 80 + 4 * 11 ? 11 : 8
        guard (1...ModelCard.maximumLabels).contains(values - 4 * bins) else { return nil }
        return Seen(
            classes: values - 4 * bins, bins: bins, strides: strides, outputs: ["detections": head.name],
            isPlus: isPlus, confidence: isNamed ? .likely : .guess, size: (416, 416))
    }

    /// Scores and distances come in turns, or all scores first; strides double from 8.
    private static func split(_ graph: GraphSignature) -> Seen? {
        let outputs = graph.outputs
        let count = outputs.count / 2
        let values = outputs.compactMap { $0.rank == 3 && $0.dtype == .float32 ? $0.extents?[2] : nil }
        guard outputs.count % 2 == 0, (3...5).contains(count), values.count == outputs.count,
            let classes = values.first, (1...ModelCard.maximumLabels).contains(classes),
            let distances = values.last, let bins = usualBins.first(where: { 4 * $0 == distances })
        else { return nil }
        let inTurns = values.indices.allSatisfy { values[$0] == ($0 % 2 == 0 ? classes : distances) }
        let inHalves = values.indices.allSatisfy { values[$0] == ($0 < count ? classes : distances) }
        guard inTurns || inHalves else { return nil }
        let strides = (0..<count).map { 8 << $0 }
        var roles: [String: String] = [:]
        for (level, stride) in strides.enumerated() {
            let scores = outputs[inTurns ? 2 * level : level]
            let boxes = outputs[inTurns ? 2 * level + 1 : level + count]
            for port in [scores, boxes] {
                if let cells = port.extents?[1], let wanted = graph.cells([stride]), cells != wanted { return nil }
            }
            roles["scores_\(stride)"] = scores.name
            roles["boxes_\(stride)"] = boxes.name
        }
        return Seen(
            classes: classes, bins: bins, strides: strides, outputs: roles, isPlus: false, confidence: .likely,
            size: (320, 320))
    }
}
