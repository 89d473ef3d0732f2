import Glibc
import TensorCore

/// The card's `retinanet` section; what it leaves out is as in torchvision.
struct RetinaNetParameters: Sendable, Hashable {
    var activation = ScoreActivation.sigmoid
    /// Of the levels, in the order of the anchors.
    var strides = [8, 16, 32, 64, 128]
    /// Square roots of the anchors' areas in input pixels, one list a level.
    var sizes: [[Float]] = [32, 64, 128, 256, 512].map { size in
        (0..<3).map { (size * exp2(Double($0) / 3)).rounded(.down) }.map { Float($0) }
    }
    /// Height / width.
    var aspectRatios: [Float] = [0.5, 1, 2]
    /// The best (anchor, class) pairs of a level that NMS looks at.
    var candidatesPerLevel = 1000
    /// Boxes of a class whose IoU is above suppress each other.
    var iouThreshold: Float = 0.5
    var maximumDetections = 300

    /// - Throws: `parse` naming the key that is unknown or out of range.
    init(_ values: [String: CardValue]) throws(SardonyxError) {
        let section = CardSection("retinanet", values)
        try section.refuseKeys(
            beyond: [
                "activation", "strides", "sizes", "aspect_ratios", "candidates_per_level", "iou_threshold",
                "max_detections",
            ])
        if let value: ScoreActivation = try section.choice("activation") { activation = value }
        guard activation != .softmax else {
            throw .card("retinanet.activation", "unknown value", got: "\"softmax\"", allowed: "sigmoid, none")
        }
        if let value = try section.counts("strides") { strides = value }
        if let value = try section.lengthLists("sizes") { sizes = value }
        if let value = try section.lengths("aspect_ratios") { aspectRatios = value }
        if let value = try section.count("candidates_per_level") { candidatesPerLevel = value }
        if let value = try section.fraction("iou_threshold") { iouThreshold = value }
        if let value = try section.count("max_detections") { maximumDetections = value }
        guard sizes.count == strides.count, !sizes.contains(where: \.isEmpty) else {
            throw .card(
                "retinanet.sizes", "lists", got: "\(sizes)", allowed: "\(strides.count), one a stride, none empty")
        }
    }
}
