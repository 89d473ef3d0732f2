extension RetinaNetDecoder {
    /// Two outputs with nine anchors for every cell of strides 8 to 128, or with torchvision's names.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let heads = graph.denseHeads, heads.centerness == nil else { return nil }
        let cells = graph.cells([8, 16, 32, 64, 128])
        let fits = cells != nil && heads.anchors == cells.map { $0 * 9 }
        guard fits || (heads.isNamed && (cells == nil || heads.anchors == nil)) else { return nil }
        let names = ClassNames(count: heads.values, metadata: graph.metadata)
        let card = try? ModelCard(
            name: "retinanet", decoder: "retinanet", input: graph.imageNetInput(picture),
            outputs: ["scores": heads.scores.name, "boxes": heads.boxes.name],
            thresholds: ModelCard.Thresholds(score: 0.3, topK: 100), labels: names.labels,
            categoryIDs: names.categoryIDs)
        guard let card else { return nil }
        return CardProposal(
            card, .guess,
            reasons: [
                fits
                    ? "Two outputs list nine anchors for every cell of the strides 8 to 128, as RetinaNet."
                    : "Outputs 'cls_logits' and 'bbox_regression' are torchvision's names.",
                "Assumed: torchvision's anchors, logits, RGB with ImageNet's mean and deviation.", names.reason,
            ])
    }
}
