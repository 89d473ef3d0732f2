extension RetinaNetDecoder {
    /// Two outputs with nine anchors for every cell of strides 8 to 128, or with torchvision's names.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let heads = graph.denseHeads, heads.centerness == nil,
            let seen = graph.reason(heads, perCell: 9, model: "RetinaNet"),
            let input = try? graph.imageNetInput(picture)
        else { return nil }
        return graph.proposal(
            "retinanet", heads, input, classes: heads.values, seen: seen,
            assumed: "Assumed: torchvision's anchors, logits, RGB with ImageNet's mean and deviation.")
    }
}
