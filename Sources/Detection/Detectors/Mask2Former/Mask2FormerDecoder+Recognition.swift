import TensorCore

extension Mask2FormerDecoder {
    /// Hugging Face's `class_queries_logits` [N, Q, C + 1] and `masks_queries_logits` [N, Q, h, w].
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, picture.rank == 4, let logits = graph.output("class_queries_logits"),
            let masks = graph.output("masks_queries_logits"), let extents = logits.extents, extents.count == 3,
            masks.rank == 4, let columns = extents[2], (2...ModelCard.maximumLabels).contains(columns)
        else { return nil }
        let names = ClassNames(count: columns - 1, metadata: graph.metadata)
        let geometry = graph.geometry(
            dynamic: .keepRatio(shortSide: 800, longSide: 1333, stride: 32),
            as: "a short side of 800 and a long side of at most 1333, padded to multiples of 32,")
        guard
            let input = try? ModelCard.Input(
                name: picture.name, geometry: geometry.geometry, mean: Normalisation.imageNet.mean,
                std: Normalisation.imageNet.std),
            let card = try? ModelCard(
                name: "mask2former", decoder: "mask2former", input: input,
                outputs: ["logits": logits.name, "masks": masks.name], thresholds: .init(score: 0.5),
                labels: names.labels, categoryIDs: names.categoryIDs)
        else { return nil }
        return CardProposal(
            card, .likely,
            reasons: [
                "The outputs have the names and shapes of Hugging Face's MaskFormer and Mask2Former.",
                "The \(columns) columns are taken as \(columns - 1) classes and \"no object\".",
                geometry.reason, "Pixels are assumed to be RGB with ImageNet's statistics.", names.reason,
            ])
    }
}
