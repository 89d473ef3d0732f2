import TensorCore

/// The card's `yolact` section; what it leaves out is as in the reference.
struct YolactParameters: Sendable, Hashable {
    /// Scales of centre and size offsets.
    var variances: [Float] = [0.1, 0.2]
    /// Anchors whose best foreground score is at or below are left out.
    var confidenceThreshold: Float = 0.05
    /// Boxes whose IoU is above suppress each other.
    var nmsIoUThreshold: Float = 0.5
    /// Candidates that Fast NMS looks at, a group.
    var nmsTopK = 200
    var maximumDetections = 100
    var maskThreshold: Float = 0.5

    private static let keys = [
        "variances", "confidence_threshold", "nms_iou_threshold", "nms_top_k", "max_detections", "mask_threshold",
    ]

    /// - Throws: `parse` naming the key that is unknown or out of range.
    init(_ values: [String: CardValue]) throws(SardonyxError) {
        let section = CardSection("yolact", values)
        try section.refuseKeys(beyond: Self.keys)
        if let values = try section.numbers("variances", count: 2) { variances = values }
        if let value = try section.fraction("confidence_threshold") { confidenceThreshold = value }
        if let value = try section.fraction("nms_iou_threshold") { nmsIoUThreshold = value }
        if let value = try section.count("nms_top_k") { nmsTopK = value }
        if let value = try section.count("max_detections") { maximumDetections = value }
        if let value = try section.fraction("mask_threshold") { maskThreshold = value }
    }
}
