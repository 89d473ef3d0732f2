extension SSDDecoder {
    /// What a graph of raw heads does not say of torchvision's two SSD models, told apart by their size.
    private struct Known {
        let name: String
        let side: Int
        let anchors: Int
        let mean: [Float]
        let std: Float
        let parameters: [String: CardValue]
    }

    private static let known = [
        Known(
            name: "SSD300", side: 300, anchors: 8732, mean: [123, 117, 104], std: 1,
            parameters: [
                "feature_sizes": numbers([[38, 38], [19, 19], [10, 10], [5, 5], [3, 3], [1, 1]]),
                "scales": numbers([0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]),
                "aspect_ratios": numbers([[2], [2, 3], [2, 3], [2, 3], [2], [2]]),
                "steps": numbers([8, 16, 32, 64, 100, 300]), "iou_threshold": .number(0.45),
                "candidates_per_class": .number(400), "max_detections": .number(200),
            ]),
        Known(
            name: "SSDlite320", side: 320, anchors: 3234, mean: [127.5, 127.5, 127.5], std: 127.5,
            parameters: [
                "feature_sizes": numbers([[20, 20], [10, 10], [5, 5], [3, 3], [2, 2], [1, 1]]),
                "scales": numbers([0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1]),
                "aspect_ratios": numbers([[Double]](repeating: [2, 3], count: 6)), "iou_threshold": .number(0.55),
                "candidates_per_class": .number(300), "max_detections": .number(300),
            ]),
    ]

    private static func numbers(_ values: [Double]) -> CardValue { .list(values.map { .number($0) }) }
    private static func numbers(_ values: [[Double]]) -> CardValue { .list(values.map { numbers($0) }) }

    /// The raw heads of torchvision's `ssd300_vgg16` and `ssdlite320_mobilenet_v3_large`; of others the default boxes
    /// cannot be known.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let size = graph.pictureSize, let heads = graph.denseHeads,
            heads.centerness == nil, heads.values >= 2,
            let known = known.first(where: { $0.anchors == heads.anchors && size == ($0.side, $0.side) })
        else { return nil }
        let input = try? ModelCard.Input(
            name: picture.name, geometry: .stretch(width: known.side, height: known.side), mean: known.mean,
            std: [Float](repeating: known.std, count: 3))
        guard let input else { return nil }
        return graph.proposal(
            "ssd", heads, input, parameters: known.parameters, classes: heads.values - 1,
            seen: "Two outputs list \(known.anchors) default boxes of a \(known.side) pixel input, as torchvision's "
                + "\(known.name).",
            assumed: "Assumed: its default boxes and normalisation, logits with the background first.")
    }
}
