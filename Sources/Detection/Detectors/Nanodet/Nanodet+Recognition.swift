import TensorCore

extension NanodetDecoder {
    /// NanoDet by two outputs a stride, class scores and distances of 8 bins; NanoDet-Plus by one output of both over
    /// four strides.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let seen = graph.outputs.count == 1 ? joined(graph) : split(graph) else {
            return nil
        }
        let size = graph.pictureSize ?? seen.size
        let names = ClassNames(count: seen.classes, metadata: graph.metadata)
        let geometry =
            seen.isPlus
            ? ImageGeometry.stretch(width: size.width, height: size.height)
            : .letterbox(ImageGeometry.Letterbox(width: size.width, height: size.height))
        var parameters: [String: CardValue] = [
            "center_offset": .number(seen.isPlus ? 0 : 0.5), "iou_threshold": .number(0.6),
            "max_detections": .number(100),
        ]
        if seen.isPlus { parameters["strides"] = .list(seen.strides.map { .number(Double($0)) }) }
        let card = try? ModelCard(
            name: "nanodet", decoder: "nanodet",
            input: ModelCard.Input(
                name: picture.name, geometry: geometry, padding: seen.isPlus ? nil : 0, channels: .bgr,
                mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395]), outputs: seen.outputs,
            parameters: parameters, thresholds: ModelCard.Thresholds(score: 0.35, topK: 100), labels: names.labels,
            categoryIDs: names.categoryIDs)
        guard let card else { return nil }
        return CardProposal(
            card, .likely,
            reasons: [
                seen.isPlus
                    ? "One output of \(seen.classes) classes and 4 times 8 bins over the strides \(seen.strides) is NanoDet-Plus's."
                    : "Two outputs a stride, \(seen.classes) classes and 4 times 8 bins, are NanoDet's; strides \(seen.strides).",
                "Assumed as in its training: BGR with NanoDet's mean and deviation, "
                    + (seen.isPlus ? "the picture stretched." : "the picture in the middle, padded with black."),
                names.reason,
            ])
    }

    private struct Seen {
        let classes: Int
        let strides: [Int]
        let outputs: [String: String]
        let isPlus: Bool
        /// Where the graph leaves it open.
        let size: (width: Int, height: Int)
    }

    /// 4 sides of 8 bins (`reg_max` 7 in all its published configurations).
    private static let distances = 32

    private static func joined(_ graph: GraphSignature) -> Seen? {
        let strides = [8, 16, 32, 64]
        guard let head = graph.onlyOutput(rank: 3), let extents = head.extents, let values = extents[2],
            values > distances, let cells = graph.cells(strides), extents[1] == cells
        else { return nil }
        return Seen(
            classes: values - distances, strides: strides, outputs: ["detections": head.name], isPlus: true,
            size: (416, 416))
    }

    /// Scores and distances come in turns, or all scores first; strides double from 8.
    private static func split(_ graph: GraphSignature) -> Seen? {
        let outputs = graph.outputs
        let count = outputs.count / 2
        let values = outputs.compactMap { $0.rank == 3 && $0.dtype == .float32 ? $0.extents?[2] : nil }
        guard outputs.count % 2 == 0, (3...5).contains(count), values.count == outputs.count else { return nil }
        let classes = values[0]
        let inTurns = values.indices.allSatisfy { values[$0] == ($0 % 2 == 0 ? classes : distances) }
        let inHalves = values.indices.allSatisfy { values[$0] == ($0 < count ? classes : distances) }
        guard classes >= 1, inTurns || inHalves else { return nil }
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
        return Seen(classes: classes, strides: strides, outputs: roles, isPlus: false, size: (320, 320))
    }
}
