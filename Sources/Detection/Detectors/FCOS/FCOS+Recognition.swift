extension FCOSDecoder {
    /// Three outputs, of C, 4 and 1 values for every cell of strides 8 to 128, or with torchvision's names.
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, let heads = graph.denseHeads, heads.centerness != nil,
            let seen = graph.reason(heads, perCell: 1, model: "FCOS"), let input = try? graph.imageNetInput(picture)
        else { return nil }
        return graph.proposal(
            "fcos", heads, input, classes: heads.values, seen: seen,
            assumed: "Assumed: distances in strides, logits, RGB with ImageNet's mean and deviation.")
    }
}
