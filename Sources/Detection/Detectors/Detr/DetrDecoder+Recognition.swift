import TensorCore

extension DetrDecoder {
    /// Hugging Face's `logits` [N, Q, C] and `pred_boxes` [N, Q, 4], perhaps with `pred_masks` [N, Q, h, w].
    public static func recognize(_ graph: GraphSignature) -> CardProposal? {
        guard let picture = graph.picture, picture.rank == 4, let logits = graph.output("logits"),
            let boxes = graph.output("pred_boxes"), let extents = logits.extents, extents.count == 3, boxes.rank == 3,
            (boxes.extents?[2] ?? 4) == 4, let columns = extents[2], (2...ModelCard.maximumLabels).contains(columns)
        else { return nil }
        let form = Form(columns: columns, queries: extents[1])
        let names = ClassNames(count: form.isSoftmax ? columns - 1 : columns, metadata: graph.metadata)
        let geometry = graph.geometry(
            dynamic: form.isRealTime
                ? .stretch(width: 640, height: 640) : .keepRatio(shortSide: 800, longSide: 1333, stride: 1),
            as: form.isRealTime ? "640×640" : "a short side of 800 and a long side of at most 1333")
        let normalisation = form.isRealTime ? Normalisation.unit : Normalisation.imageNet
        var outputs = ["logits": logits.name, "boxes": boxes.name]
        if let masks = graph.output("pred_masks"), masks.rank == 4 { outputs["masks"] = masks.name }
        guard
            let input = try? ModelCard.Input(
                name: picture.name, geometry: geometry.geometry, mean: normalisation.mean, std: normalisation.std),
            let card = try? ModelCard(
                name: "detr", decoder: "detr", input: input, outputs: outputs,
                parameters: ["activation": .text(form.isSoftmax ? "softmax" : "sigmoid")],
                thresholds: .init(score: 0.5), labels: names.labels, categoryIDs: names.categoryIDs)
        else { return nil }
        return CardProposal(
            card, form.isKnown ? .likely : .guess,
            reasons: [
                "The outputs logits and pred_boxes have the names and shapes of Hugging Face's DETR family.",
                form.reason, geometry.reason,
                form.isRealTime
                    ? "Pixels are assumed to be RGB in 0 to 1, as RT-DETR takes them."
                    : "Pixels are assumed to be RGB with ImageNet's statistics.",
                names.reason,
            ])
    }

    /// Which of the family it is, by the extents of the logits.
    private struct Form {
        let isSoftmax: Bool
        /// RT-DETR and D-FINE.
        let isRealTime: Bool
        let isKnown: Bool
        let reason: String

        init(columns: Int, queries: Int?) {
            switch columns {
            case 92:
                (isSoftmax, isRealTime, isKnown) = (true, false, true)
                reason =
                    "92 columns are COCO's 91 identifiers and \"no object\": softmax, as DETR and YOLOS are trained."
            case 91:
                (isSoftmax, isRealTime, isKnown) = (false, false, true)
                reason = "91 columns are COCO's identifiers: sigmoid, as Deformable and Conditional DETR are trained."
            case 80:
                (isSoftmax, isRealTime, isKnown) = (false, true, true)
                reason = "80 columns are COCO's classes: sigmoid, as RT-DETR and D-FINE are trained."
            default:
                (isSoftmax, isRealTime, isKnown) = ((queries ?? 100) <= 100, false, false)
                reason =
                    isSoftmax
                    ? "Softmax is assumed, the last of the \(columns) columns meaning \"no object\", as DETR is trained."
                    : "Sigmoid is assumed, as models with more than 100 queries are trained."
            }
        }
    }
}
