import TensorCore

/// The card's `ssd` section; what it leaves out is as in torchvision.
struct SSDParameters: Sendable, Hashable {
    var activation = ScoreActivation.softmax
    /// Scales of centre and size offsets.
    var variances: [Float] = [0.1, 0.2]
    /// The best of a class that NMS looks at.
    var candidatesPerClass = 400
    /// Boxes of a class whose IoU is above suppress each other.
    var iouThreshold: Float = 0.45
    var maximumDetections = 200
    /// `nil`: the graph gives them.
    var defaultBoxes: DefaultBoxes?

    private static let boxKeys = ["feature_sizes", "scales", "aspect_ratios", "steps", "clip"]

    /// - Parameter hasPriors: the graph gives the default boxes.
    /// - Throws: `parse` naming the key that is missing, unknown or out of range.
    init(_ values: [String: CardValue], hasPriors: Bool) throws(SardonyxError) {
        let section = CardSection("ssd", values)
        let keys = ["activation", "variances", "candidates_per_class", "iou_threshold", "max_detections"]
        try section.refuseKeys(beyond: hasPriors ? keys : keys + Self.boxKeys)
        if let value: ScoreActivation = try section.choice("activation") { activation = value }
        if let value = try section.numbers("variances", count: 2) { variances = value }
        if let value = try section.count("candidates_per_class") { candidatesPerClass = value }
        if let value = try section.fraction("iou_threshold") { iouThreshold = value }
        if let value = try section.count("max_detections") { maximumDetections = value }
        if !hasPriors { defaultBoxes = try Self.boxes(section) }
    }

    private static func boxes(_ section: CardSection) throws(SardonyxError) -> DefaultBoxes {
        guard let sizes = try section.countLists("feature_sizes"), let scales = try section.lengths("scales"),
            let ratios = try section.lengthLists("aspect_ratios")
        else {
            throw .card(
                "ssd", "no default boxes",
                allowed: "an output of the role \"priors\", or feature_sizes, scales and aspect_ratios")
        }
        var featureSizes: [(rows: Int, columns: Int)] = []
        for size in sizes {
            guard size.count == 2 else {
                throw .card("ssd.feature_sizes", "extents", got: "\(size)", allowed: "rows and columns of each level")
            }
            featureSizes.append((size[0], size[1]))
        }
        let steps = try section.lengths("steps")
        for (key, got, wanted) in [
            ("scales", scales.count, sizes.count + 1), ("aspect_ratios", ratios.count, sizes.count),
            ("steps", steps?.count ?? sizes.count, sizes.count),
        ] where got != wanted {
            throw .card(
                "ssd.\(key)", "count", got: "\(got)", allowed: "\(wanted) for the \(sizes.count) of feature_sizes")
        }
        return try DefaultBoxes(
            featureSizes: featureSizes, scales: scales, aspectRatios: ratios, steps: steps,
            clip: try section.flag("clip") ?? true)
    }
}
