extension YoloxDecoder {
    /// YOLOX's exporter names its input `images` and its output `output`; shapes alone would be a YOLOv5's with one
    /// anchor a cell.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, picture.name == "images", graph.outputs.count == 1,
            let head = graph.onlyOutput(rank: 3), head.name == "output", let extents = head.extents,
            let values = extents[2], (1...ModelCard.maximumLabels).contains(values - 5)
        else { return nil }
        let strides = GraphSignature.usualStrides.first { strides in
            extents[1] == nil || graph.cells(strides) == nil || graph.cells(strides) == extents[1]
        }
        guard let strides else { return nil }
        let size = graph.pictureSize ?? (width: 640, height: 640)
        let names = ClassNames(count: values - 5, metadata: graph.metadata)
        let card = try? ModelCard(
            name: "yolox", decoder: "yolox",
            input: ModelCard.Input(
                name: picture.name,
                geometry: .letterbox(
                    ImageGeometry.Letterbox(
                        width: size.width, height: size.height, alignment: .topLeft, rounding: .down)), padding: 114,
                channels: .bgr), outputs: ["detections": head.name],
            parameters: [
                "strides": .list(strides.map { .number(Double($0)) }), "decoded": .flag(false),
                "iou_threshold": .number(0.45), "max_detections": .number(300),
            ], thresholds: ModelCard.Thresholds(score: 0.3, topK: 300), labels: names.labels,
            categoryIDs: names.categoryIDs)
        guard let card else { return nil }
        return CardProposal(
            card, .likely,
            reasons: [
                "Input 'images' and output 'output' of \(values) values an anchor are YOLOX's names.",
                "Assumed: boxes are in cells of the strides \(strides) (\"decoded\": false); BGR in 0 to 255, the "
                    + "picture in the top left corner, padded with 114.", names.reason,
            ])
    }
}
