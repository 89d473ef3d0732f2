import TensorCore

extension ClassificationDecoder {
    /// One output `[N, C]`.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, picture.rank == 4, graph.outputs.count == 1,
            let logits = graph.outputs.first, logits.dtype == .float32, let extents = logits.extents,
            extents.count == 2, let classes = extents[1], (2...ModelCard.maximumLabels).contains(classes)
        else { return nil }
        let isUltralytics = graph.metadata["task"] == "classify"
        let size = graph.pictureSize ?? (224, 224)
        guard max(size.width, size.height) <= ModelCard.Input.maximumSide else { return nil }
        // 224 of 256, and other sizes by the same share.
        let longest = max(size.width, size.height)
        let shortSide = isUltralytics ? longest : (longest * 8 + 6) / 7
        let normalisation = isUltralytics ? Normalisation.unit : Normalisation.imageNet
        let names = ClassNames(count: classes, metadata: graph.metadata)
        guard
            let input = try? ModelCard.Input(
                name: picture.name,
                geometry: .centerCrop(width: size.width, height: size.height, shortSide: shortSide),
                mean: normalisation.mean, std: normalisation.std),
            let card = try? ModelCard(
                name: "classification", decoder: "classification", input: input, outputs: ["logits": logits.name],
                parameters: ["activation": .text(isUltralytics ? "none" : "softmax")],
                thresholds: .init(score: 0, topK: 5),
                labels: names.labels, categoryIDs: names.categoryIDs)
        else { return nil }
        guard !isUltralytics else {
            return CardProposal(
                card, names.areKnown ? .certain : .likely,
                reasons: [
                    "The metadata says that ultralytics exported it for the task classify: scores are probabilities, "
                        + "pixels RGB in 0 to 1, the middle of the picture is looked at.",
                    names.reason,
                ])
        }
        return CardProposal(
            card, .guess,
            reasons: [
                "The one output has \(classes) values a picture: taken as one a class, before a softmax.",
                "The middle \(size.width)×\(size.height) of a picture whose short side is scaled to \(shortSide) is assumed.",
                "Pixels are assumed to be RGB with ImageNet's statistics.", names.reason,
            ])
    }
}
