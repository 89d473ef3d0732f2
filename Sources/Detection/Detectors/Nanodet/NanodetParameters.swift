import TensorCore

/// The card's `nanodet` section; what it leaves out is as in the reference.
struct NanodetParameters: Sendable, Hashable {
    /// Of the levels in `detections`, in the order of the anchors.
    var strides = [8, 16, 32]
    /// Where a cell's centre lies, of its side: 0 for NanoDet-Plus.
    var centerOffset: Float = 0.5
    /// The best (anchor, class) pairs of a level that NMS looks at.
    var candidatesPerLevel = 1000
    /// Boxes of a class whose IoU is above suppress each other.
    var iouThreshold: Float = 0.6
    var maximumDetections = 100

    /// - Throws: `parse` naming the key that is unknown or out of range.
    init(_ values: [String: CardValue]) throws(SardonyxError) {
        let section = CardSection("nanodet", values)
        try section.refuseKeys(
            beyond: ["strides", "center_offset", "candidates_per_level", "iou_threshold", "max_detections"])
        if let value = try section.counts("strides") { strides = value }
        if let value = try section.fraction("center_offset") { centerOffset = value }
        if let value = try section.count("candidates_per_level") { candidatesPerLevel = value }
        if let value = try section.fraction("iou_threshold") { iouThreshold = value }
        if let value = try section.count("max_detections") { maximumDetections = value }
    }
}
