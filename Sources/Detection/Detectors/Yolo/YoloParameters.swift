import TensorCore

/// How an exporter writes a YOLO's outputs.
enum YoloLayout: String, CaseIterable {
    /// `[N, 4 + C (+ K), A]`.
    case v8
    /// `[N, A, 5 + C (+ K)]`.
    case v5
    /// `[N, D, 6 (+ K)]`: decided in the graph.
    case end2end
    /// `[N, a, h, w, 5 + C (+ K)]` a stride, logits.
    case v5Raw = "v5-raw"
    /// `[N, 4 bins + C, h, w]` a stride, logits.
    case v8Raw = "v8-raw"
}

/// The card's `yolo` section; what it leaves out is as in ultralytics.
struct YoloParameters: Sendable, Hashable {
    let layout: YoloLayout
    /// Boxes of a class whose IoU is above suppress each other.
    var iouThreshold: Float = 0.7
    var maximumDetections = 300
    /// Width and height, in input pixels, of the anchors of each level; of `v5-raw` only.
    var anchors: [[Float]] = []

    /// - Throws: `parse` naming the key that is missing, unknown or out of range.
    init(_ values: [String: CardValue]) throws(SardonyxError) {
        let section = CardSection("yolo", values)
        try section.refuseKeys(beyond: ["layout", "iou_threshold", "max_detections", "anchors"])
        guard let layout: YoloLayout = try section.choice("layout") else {
            throw .card(
                "yolo.layout", "missing", allowed: YoloLayout.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self.layout = layout
        if let value = try section.fraction("iou_threshold") { iouThreshold = value }
        if let value = try section.count("max_detections") { maximumDetections = value }
        if let value = try section.lengthLists("anchors") { anchors = value }
        let needsAnchors = layout == .v5Raw
        guard needsAnchors != anchors.isEmpty, anchors.allSatisfy({ $0.count >= 2 && $0.count % 2 == 0 }) else {
            throw .card(
                "yolo.anchors", needsAnchors ? "anchors" : "belongs to the layout \"v5-raw\"",
                got: "\(anchors)", allowed: needsAnchors ? "for each stride w, h, w, h, …" : "nothing")
        }
    }
}
