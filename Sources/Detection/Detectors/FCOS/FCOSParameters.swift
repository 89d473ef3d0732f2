import TensorCore

/// The card's `fcos` section; what it leaves out is as in torchvision.
struct FCOSParameters: Sendable, Hashable {
    /// Of the levels, in the order of the cells.
    var strides = [8, 16, 32, 64, 128]
    /// The best (cell, class) pairs of a level that NMS looks at.
    var candidatesPerLevel = 1000
    /// Boxes of a class whose IoU is above suppress each other.
    var iouThreshold: Float = 0.6
    var maximumDetections = 100

    /// - Throws: `parse` naming the key that is unknown or out of range.
    init(_ values: [String: CardValue]) throws(SardonyxError) {
        let section = CardSection("fcos", values)
        try section.refuseKeys(beyond: ["strides", "candidates_per_level", "iou_threshold", "max_detections"])
        if let value = try section.counts("strides") { strides = value }
        if let value = try section.count("candidates_per_level") { candidatesPerLevel = value }
        if let value = try section.fraction("iou_threshold") { iouThreshold = value }
        if let value = try section.count("max_detections") { maximumDetections = value }
    }
}
