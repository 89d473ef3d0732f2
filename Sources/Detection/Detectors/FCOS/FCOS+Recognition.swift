extension FCOSDecoder {
    /// Three outputs, of C, 4 and 1 values for every cell of strides 8 to 128, or with torchvision's names.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let heads = graph.denseHeads, let centerness = heads.centerness else {
            return nil
        }
        let cells = graph.cells([8, 16, 32, 64, 128])
        let fits = cells != nil && heads.anchors == cells
        guard fits || (heads.isNamed && (cells == nil || heads.anchors == nil)) else { return nil }
        let names = ClassNames(count: heads.values, metadata: graph.metadata)
        let card = try? ModelCard(
            name: "fcos", decoder: "fcos", input: graph.imageNetInput(picture),
            outputs: ["scores": heads.scores.name, "boxes": heads.boxes.name, "centerness": centerness.name],
            thresholds: ModelCard.Thresholds(score: 0.3, topK: 100), labels: names.labels,
            categoryIDs: names.categoryIDs)
        guard let card else { return nil }
        return CardProposal(
            card, .guess,
            reasons: [
                fits
                    ? "Three outputs of C, 4 and 1 values list the cells of the strides 8 to 128, as FCOS."
                    : "Outputs 'cls_logits', 'bbox_regression' and 'bbox_ctrness' are torchvision's names.",
                "Assumed: distances in strides, logits, RGB with ImageNet's mean and deviation.", names.reason,
            ])
    }
}
