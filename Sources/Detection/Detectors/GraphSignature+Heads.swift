import TensorCore

extension GraphSignature {
    /// Strides of the levels that dense heads usually have.
    static let usualStrides = [[8, 16, 32], [8, 16, 32, 64], [8, 16, 32, 64, 128]]

    /// Cells of levels with these strides over the picture input; `nil` where the graph leaves its size open, and for
    /// more than a tensor may have.
    func cells(_ strides: [Int]) -> Int? {
        guard let (width, height) = pictureSize, width >= 1, height >= 1 else { return nil }
        var total = 0
        for stride in strides {
            guard let cells = CheckedSize.product((width - 1) / stride + 1, (height - 1) / stride + 1),
                cells <= CheckedSize.maximumElements
            else { return nil }
            total += cells
        }
        return total
    }

    /// The one float output of that rank; `nil` when there are more.
    func onlyOutput(rank: Int) -> Port? {
        let found = outputs.filter { $0.rank == rank && $0.dtype == .float32 }
        return found.count == 1 ? found.first : nil
    }

    /// Heads `[N, A, values]` of one list of anchors, as torchvision's dense detectors have them.
    struct DenseHeads {
        let scores: Port
        let boxes: Port
        let centerness: Port?
        /// Of `scores`.
        let values: Int
        /// `nil` where inputs decide.
        let anchors: Int?
        /// The outputs have torchvision's names.
        let isNamed: Bool
    }

    /// Scores, boxes of 4 values and, of three outputs, centerness of 1; `nil` for any other outputs.
    var denseHeads: DenseHeads? {
        guard (2...3).contains(outputs.count), outputs.allSatisfy({ $0.rank == 3 && $0.dtype == .float32 }) else {
            return nil
        }
        var rest = outputs
        func take(_ name: String, values: Int?) -> Port? {
            let index = rest.firstIndex { $0.name == name } ?? rest.lastIndex { $0.extents?[2] == values }
            guard let index, values == nil || rest[index].extents?[2] == values else { return nil }
            return rest.remove(at: index)
        }
        let isNamed = ["cls_logits", "bbox_regression"].allSatisfy { output($0) != nil }
        guard let boxes = take("bbox_regression", values: 4) else { return nil }
        let centerness = take("bbox_ctrness", values: 1)
        guard (centerness == nil) == (outputs.count == 2), let scores = rest.first, rest.count == 1,
            let values = scores.extents?[2], (1...ModelCard.maximumLabels).contains(values)
        else { return nil }
        let anchors = [scores, boxes].compactMap { $0.extents?[1] }
        guard Set(anchors).count <= 1 else { return nil }
        return DenseHeads(
            scores: scores, boxes: boxes, centerness: centerness, values: values, anchors: anchors.first,
            isNamed: isNamed)
    }

    /// Why the heads are taken for those of a torchvision model with `perCell` anchors for every cell of strides 8 to
    /// 128: a sentence, `nil` when they are not.
    func reason(_ heads: DenseHeads, perCell: Int, model: String) -> String? {
        let wanted = cells([8, 16, 32, 64, 128]).map { $0 * perCell }
        if let wanted, heads.anchors == wanted {
            let times = perCell == 1 ? "" : "\(perCell) times "
            return "The \(outputs.count) outputs list \(times)the cells of the strides 8 to 128, as \(model)."
        }
        guard heads.isNamed, wanted == nil || heads.anchors == nil else { return nil }
        return "Outputs 'cls_logits' and 'bbox_regression' are torchvision's names."
    }

    /// The card of dense heads: a guess, with the two sentences and what the classes' names come from as reasons.
    /// - Parameter classes: foreground classes of the scores.
    func proposal(
        _ decoder: String, _ heads: DenseHeads, _ input: ModelCard.Input, parameters: [String: CardValue] = [:],
        classes: Int, seen: String, assumed: String
    ) -> CardProposal? {
        let names = ClassNames(count: classes, metadata: metadata)
        var roles = ["scores": heads.scores.name, "boxes": heads.boxes.name]
        roles["centerness"] = heads.centerness?.name
        let card = try? ModelCard(
            name: decoder, decoder: decoder, input: input, outputs: roles, parameters: parameters,
            thresholds: ModelCard.Thresholds(score: 0.3, topK: 100), labels: names.labels,
            categoryIDs: names.categoryIDs)
        return card.map { CardProposal($0, .guess, reasons: [seen, assumed, names.reason]) }
    }

    /// torchvision's usual normalisation, the picture at its own ratio: within the graph's size or, where that is open,
    /// 800 to 1333 pixels padded to multiples of 32.
    func imageNetInput(_ picture: Port) throws(SardonyxError) -> ModelCard.Input {
        let geometry =
            if let size = pictureSize {
                ImageGeometry.letterbox(
                    ImageGeometry.Letterbox(
                        width: size.width, height: size.height, alignment: .topLeft, rounding: .down))
            } else {
                ImageGeometry.keepRatio(shortSide: 800, longSide: 1333, stride: 32)
            }
        return try ModelCard.Input(
            name: picture.name, geometry: geometry, mean: Normalisation.imageNet.mean, std: Normalisation.imageNet.std)
    }
}
