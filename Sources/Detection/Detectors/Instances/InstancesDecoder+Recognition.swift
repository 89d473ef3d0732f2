import TensorCore

extension InstancesDecoder {
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture else { return nil }
        return torchvision(graph, picture) ?? mmdeploy(graph, picture)
    }

    /// torchvision's detectors exported whole: `boxes` [D, 4], `labels` [D], `scores` [D] and `masks` [D, 1, H, W], by
    /// name or, traced without names, by shape.
    private static func torchvision(_ graph: GraphSignature, _ picture: GraphSignature.Port) -> CardProposal? {
        guard let extents = picture.extents, extents.count == 3 || (extents[0] ?? 1) == 1,
            graph.outputs.count == 3 || graph.outputs.count == 4
        else { return nil }
        var outputs: [String: String] = [:]
        for port in graph.outputs {
            guard let role = role(of: port), outputs.updateValue(port.name, forKey: role) == nil else { return nil }
        }
        guard outputs.count == graph.outputs.count, outputs["boxes"] != nil, outputs["scores"] != nil,
            outputs["labels"] != nil
        else { return nil }
        let isNamed = outputs.allSatisfy { $0.key == $0.value }
        let geometry = graph.geometry(dynamic: .original, as: "the picture as it is, which the graph resizes,")
        let names = ClassNames(count: 90)
        var parameters: [String: CardValue] = ["first_label": .number(1)]
        if outputs["masks"] != nil { parameters["masks"] = .text("input") }
        guard
            let input = try? ModelCard.Input(
                name: picture.name, geometry: geometry.geometry, mean: Normalisation.unit.mean,
                std: Normalisation.unit.std),
            let card = try? ModelCard(
                name: "torchvision", decoder: "instances", input: input, outputs: outputs, parameters: parameters,
                thresholds: .init(score: 0.3), labels: names.labels, categoryIDs: names.categoryIDs)
        else { return nil }
        return CardProposal(
            card, isNamed ? .likely : .guess,
            reasons: [
                isNamed
                    ? "The outputs have the names and shapes of a torchvision detector exported whole."
                    : "The outputs have the shapes and types of a torchvision detector exported whole, not its names.",
                geometry.reason,
                "Pixels are assumed to be RGB in 0 to 1, as torchvision's detectors take them.",
                "The number of classes cannot be seen: COCO's category identifiers 1 to 90 are assumed. A model with "
                    + "other classes needs a card.",
            ])
    }

    private static func role(of port: GraphSignature.Port) -> String? {
        guard let extents = port.extents else { return nil }
        switch (port.dtype, extents.count) {
        case (.float32, 2) where (extents[1] ?? 4) == 4: return "boxes"
        case (.float32, 1): return "scores"
        case (.int64, 1): return "labels"
        case (.float32, 4) where (extents[1] ?? 1) == 1: return "masks"
        default: return nil
        }
    }

    /// mmdeploy's `dets` [N, D, 5], `labels` [N, D] and `masks`, over the input or one patch a box.
    private static func mmdeploy(_ graph: GraphSignature, _ picture: GraphSignature.Port) -> CardProposal? {
        guard let dets = graph.output("dets"), let labels = graph.output("labels"), dets.rank == 3,
            (dets.extents?[2] ?? 5) == 5, labels.rank == 2, picture.rank == 4
        else { return nil }
        var outputs = ["dets": dets.name, "labels": labels.name]
        var parameters: [String: CardValue] = [:]
        var reasons = ["The outputs dets and labels have the names and shapes of mmdeploy's end-to-end exports."]
        var confidence = CardProposal.Confidence.guess
        if let masks = graph.output("masks"), let extents = masks.extents, extents.count == 4 {
            outputs["masks"] = masks.name
            let isPatch = extents[3].map { $0 <= 56 && $0 != graph.pictureSize?.width } ?? false
            parameters["masks"] = .text(isPatch ? "box" : "input")
            confidence = isPatch ? .guess : .likely
            reasons.append(
                isPatch
                    ? "The masks are patches, pasted into their boxes."
                    : "The masks are taken to cover the whole input, as RTMDet-Ins gives them.")
        }
        let size = graph.pictureSize ?? (640, 640)
        let letterbox = ImageGeometry.letterbox(
            .init(
                width: size.width, height: size.height, alignment: .topLeft,
                stride: graph.pictureSize == nil ? 32 : nil))
        let names = ClassNames(count: 80)
        guard
            let input = try? ModelCard.Input(
                name: picture.name, geometry: letterbox, padding: 114, channels: .bgr,
                mean: Normalisation.imageNet.mean.reversed(), std: Normalisation.imageNet.std.reversed()),
            let card = try? ModelCard(
                name: "mmdeploy", decoder: "instances", input: input, outputs: outputs, parameters: parameters,
                thresholds: .init(score: 0.3), labels: names.labels, categoryIDs: names.categoryIDs)
        else { return nil }
        return CardProposal(
            card, confidence,
            reasons: reasons + [
                "RTMDet's preparation is assumed: BGR, ImageNet statistics, the picture at the top left, padded with 114.",
                "The number of classes cannot be seen: COCO's 80 are assumed. A model with other classes needs a card.",
            ])
    }
}
