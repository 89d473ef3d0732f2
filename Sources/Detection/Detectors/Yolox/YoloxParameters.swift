import TensorCore

/// The card's `yolox` section; what it leaves out is as in the reference.
struct YoloxParameters: Sendable, Hashable {
    /// Of the levels, in the order of the anchors.
    var strides = [8, 16, 32]
    /// Boxes are in input pixels already.
    var isDecoded = false
    /// Boxes of a class whose IoU is above suppress each other.
    var iouThreshold: Float = 0.45
    var maximumDetections = 300

    /// - Throws: `parse` naming the key that is unknown or out of range.
    init(_ values: [String: CardValue]) throws(SardonyxError) {
        let section = CardSection("yolox", values)
        try section.refuseKeys(beyond: ["strides", "decoded", "iou_threshold", "max_detections"])
        if let value = try section.counts("strides") { strides = value }
        if let value = try section.flag("decoded") { isDecoded = value }
        if let value = try section.fraction("iou_threshold") { iouThreshold = value }
        if let value = try section.count("max_detections") { maximumDetections = value }
    }
}
