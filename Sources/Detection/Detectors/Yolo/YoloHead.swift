import TensorCore

/// What a layout's outputs say about one picture; the addresses are valid while the tensors live.
protocol YoloHead {
    /// Each anchor's best class whose score is above the threshold, with its box in input pixels.
    /// - Throws: `input` for a class that the card has no label for.
    func detections(above threshold: Float, threads: Int) throws(SardonyxError) -> [NMS.Detection]

    /// An anchor's mask coefficients: the first one's address, and elements from one to the next.
    func coefficients(of anchor: Int) -> (first: UnsafePointer<Float>, step: Int)
}

/// Layout `v8`: `[4 + C + K, A]`, centre x, y, width, height in input pixels, then class scores.
struct YoloPlanes: YoloHead {
    private let values: UnsafePointer<Float>
    private let anchors: Int
    private let classes: Int

    init(_ head: HeadTensor, classes: Int, prototypes: Int) throws(SardonyxError) {
        try head.expect(
            values: head.dims[0], wanted: 4 + classes + prototypes,
            "a box, \(classes) labels, \(prototypes) mask coefficients")
        (values, anchors, self.classes) = (head.values, head.dims[1], classes)
    }

    func detections(above threshold: Float, threads: Int) -> [NMS.Detection] {
        BestClass.ofPlanes(
            values + 4 * anchors, classes: classes, anchors: anchors, above: threshold, threads: threads
        ).compactMap { candidate in
            let first = values + candidate.anchor
            return NMS.Detection(
                candidate,
                box: Box(
                    centerX: first[0], centerY: first[anchors], width: first[2 * anchors], height: first[3 * anchors]))
        }
    }

    func coefficients(of anchor: Int) -> (first: UnsafePointer<Float>, step: Int) {
        (values + (4 + classes) * anchors + anchor, anchors)
    }
}

/// Layout `v5`: `[A, 5 + C + K]`, centre x, y, width, height in input pixels, objectness, class scores.
struct YoloRows: YoloHead {
    private let values: UnsafePointer<Float>
    private let anchors: Int
    private let step: Int
    private let classes: Int

    init(_ head: HeadTensor, classes: Int, prototypes: Int) throws(SardonyxError) {
        try head.expect(
            values: head.dims[1], wanted: 5 + classes + prototypes,
            "a box, objectness, \(classes) labels, \(prototypes) mask coefficients")
        (values, anchors, step, self.classes) = (head.values, head.dims[0], head.dims[1], classes)
    }

    func detections(above threshold: Float, threads: Int) -> [NMS.Detection] {
        BestClass.ofRows(
            values + 4, classes: classes, anchors: anchors, step: step, above: threshold, logits: false,
            threads: threads
        ).compactMap { NMS.Detection($0, box: Box(center: values + $0.anchor * step)) }
    }

    func coefficients(of anchor: Int) -> (first: UnsafePointer<Float>, step: Int) {
        (values + anchor * step + 5 + classes, 1)
    }
}

/// Layout `end2end`: `[D, 6 + K]`, corners in input pixels, score, class; nothing left to suppress.
struct YoloDecided: YoloHead {
    private let head: HeadTensor
    private let classes: Int

    init(_ head: HeadTensor, classes: Int, prototypes: Int) throws(SardonyxError) {
        try head.expect(
            values: head.dims[1], wanted: 6 + prototypes, "a box, score, class, \(prototypes) mask coefficients")
        (self.head, self.classes) = (head, classes)
    }

    func detections(above threshold: Float, threads: Int) throws(SardonyxError) -> [NMS.Detection] {
        var found: [NMS.Detection] = []
        for index in 0..<head.dims[0] {
            let row = head.values + index * head.dims[1]
            guard row[4] > threshold, !row[5].isNaN else { continue }
            guard let classIndex = CheckedSize.integer(row[5]), (0..<classes).contains(classIndex) else {
                throw SardonyxError(
                    .input, "output '\(head.name)'", "class", got: "\(row[5])",
                    allowed: "0 to \(classes - 1): \(classes) labels")
            }
            let candidate = Candidate(anchor: index, classIndex: classIndex, score: row[4])
            let box = Box(x1: row[0], y1: row[1], x2: row[2], y2: row[3])
            if let detection = NMS.Detection(candidate, box: box) { found.append(detection) }
        }
        return found
    }

    func coefficients(of anchor: Int) -> (first: UnsafePointer<Float>, step: Int) {
        (head.values + anchor * head.dims[1] + 6, 1)
    }
}
