import TensorCore

extension SemanticDecoder {
    /// One output `[N, C, H, W]` of the input's own size; torchvision names it `out` and may add `aux`.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let inputs = picture.extents, inputs.count == 4 else { return nil }
        let isTorchvision = graph.output("out") != nil && graph.outputs.allSatisfy { ["out", "aux"].contains($0.name) }
        guard isTorchvision || graph.outputs.count == 1,
            let logits = isTorchvision ? graph.output("out") : graph.outputs.first, logits.dtype == .float32,
            let extents = logits.extents, extents.count == 4, let classes = extents[1],
            // One plane is a matte, three are a picture.
            (2...ModelCard.maximumLabels).contains(classes), classes != 3
        else { return nil }
        let hasInputSize =
            graph.pictureSize != nil && extents[2] == inputs[2] && extents[3] == inputs[3]
        guard hasInputSize || isTorchvision else { return nil }
        let isVOC = classes == voc.count + 1
        let names = ClassNames(count: classes, metadata: graph.metadata)
        let geometry = graph.geometry(
            dynamic: .keepRatio(shortSide: 520, longSide: 2048, stride: 1), as: "a short side of 520")
        guard
            let input = try? ModelCard.Input(
                name: picture.name, geometry: geometry.geometry, mean: Normalisation.imageNet.mean,
                std: Normalisation.imageNet.std),
            let card = try? ModelCard(
                name: "semantic", decoder: "semantic", input: input, outputs: ["logits": logits.name],
                parameters: isVOC ? ["background": .number(0)] : [:], thresholds: .init(score: 0),
                labels: isVOC ? voc : names.labels, categoryIDs: isVOC ? nil : names.categoryIDs)
        else { return nil }
        return CardProposal(
            card, isTorchvision && isVOC ? .likely : .guess,
            reasons: [
                isTorchvision
                    ? "The output out has the name and shape of torchvision's semantic segmentation."
                    : "The one output has the input's size and \(classes) planes: taken as one a class.",
                geometry.reason, "Pixels are assumed to be RGB with ImageNet's statistics.",
                isVOC ? "21 classes are assumed to be Pascal VOC's, background first." : names.reason,
            ])
    }

    /// Pascal VOC's classes after the background, as torchvision lists them.
    private static let voc = [
        "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
        "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ]
}
