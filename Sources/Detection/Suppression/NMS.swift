import CKernels

/// A way of thinning overlapping detections.
///
/// All kinds walk the candidates from the best score down and drop a box that overlaps a better one of its group.
/// They differ in the five choices below; a new kind is a row of `all`.
public struct NMS: Sendable, Hashable {
    /// Which (anchor, class) pairs compete.
    enum Candidates: Sendable {
        /// Every class of every anchor, each class a group of its own.
        case everyClass
        /// Each anchor's best class; one group.
        case bestClass
    }

    public let name: String
    let candidates: Candidates
    /// A dropped box suppresses others too; then a group is cut at its `topK` best.
    let droppedBoxesSuppress: Bool
    /// Boxes are compared in input pixels with both corners inside (areas are one pixel wider and higher, an IoU at
    /// the threshold overlaps) and equal scores favour the later candidate.
    let comparesPixels: Bool
    /// Candidates at or below the confidence threshold are left out.
    let usesConfidenceThreshold: Bool
    /// At most `maximumDetections` survive.
    let isCapped: Bool

    /// Fast NMS, per class (YOLACT, arXiv 1904.02689, section 4).
    public static let fast = NMS(
        name: "fast", candidates: .everyClass, droppedBoxesSuppress: true, comparesPixels: false,
        usesConfidenceThreshold: false, isCapped: true)
    /// Fast NMS over each anchor's best class, all classes in one list.
    public static let crossClass = NMS(
        name: "cross-class", candidates: .bestClass, droppedBoxesSuppress: true, comparesPixels: false,
        usesConfidenceThreshold: true, isCapped: false)
    /// Greedy NMS per class, as in Fast R-CNN.
    public static let traditional = NMS(
        name: "traditional", candidates: .everyClass, droppedBoxesSuppress: false, comparesPixels: true,
        usesConfidenceThreshold: true, isCapped: true)

    /// Greedy NMS per class, boxes as they are: what every other detector here uses.
    public static let greedy = NMS(
        name: "greedy", candidates: .everyClass, droppedBoxesSuppress: false, comparesPixels: false,
        usesConfidenceThreshold: true, isCapped: true)
    /// Greedy NMS over each anchor's best class, all classes in one list.
    public static let agnostic = NMS(
        name: "agnostic", candidates: .bestClass, droppedBoxesSuppress: false, comparesPixels: false,
        usesConfidenceThreshold: true, isCapped: true)

    public static let all: [NMS] = [fast, crossClass, traditional, greedy, agnostic]

    /// The kind of that name, or `nil`.
    public init?(name: String) {
        guard let kind = NMS.all.first(where: { $0.name == name }) else { return nil }
        self = kind
    }

    private init(
        name: String, candidates: Candidates, droppedBoxesSuppress: Bool, comparesPixels: Bool,
        usesConfidenceThreshold: Bool, isCapped: Bool
    ) {
        self.name = name
        self.candidates = candidates
        self.droppedBoxesSuppress = droppedBoxesSuppress
        self.comparesPixels = comparesPixels
        self.usesConfidenceThreshold = usesConfidenceThreshold
        self.isCapped = isCapped
    }

    /// Numbers that a run of NMS goes by.
    struct Parameters: Sendable {
        var confidenceThreshold: Float
        var iouThreshold: Float
        var topK: Int
        var maximumDetections: Int
        /// Detections at or below it are of no interest; 0 and below keep all.
        var scoreThreshold: Float
        /// Pixels of the network's input.
        var inputWidth: Float
        var inputHeight: Float
    }

    /// The anchors worth a look.
    struct Anchors {
        /// Corners relative to the picture, one a candidate anchor.
        let boxes: [Box<Float>]
        /// Rows of `scores` they come from.
        let rows: [Int]
        /// `[anchors, classes + 1]`, background first.
        let scores: UnsafeBufferPointer<Float>
        let classes: Int

        func score(_ index: Int, class classIndex: Int) -> Float {
            scores[rows[index] * (classes + 1) + 1 + classIndex]
        }
    }

    struct Detection: Sendable {
        /// Row of the network's outputs.
        let anchor: Int
        let classIndex: Int
        let score: Float
        let box: Box<Float>
    }

    /// The survivors, best first.
    func select(_ anchors: Anchors, _ parameters: Parameters) -> [Detection] {
        walk(
            candidateKeys(anchors, parameters), groups: candidates == .everyClass ? anchors.classes : 1,
            iouThreshold: parameters.iouThreshold, topK: parameters.topK,
            limit: isCapped ? parameters.maximumDetections : Int.max
        ) { ordinal in
            let (classIndex, index) = resolve(ordinal, anchors)
            return (candidates == .everyClass ? classIndex : 0, compared(anchors.boxes[index], parameters))
        }.map { survivor in
            let (classIndex, index) = resolve(survivor.ordinal, anchors)
            return Detection(
                anchor: anchors.rows[index], classIndex: classIndex, score: anchors.score(index, class: classIndex),
                box: restored(survivor.box, parameters))
        }
    }

    /// The survivors of candidates that are already decided, best first; of equal scores the earlier first.
    /// - Parameters:
    ///   - candidates: none with a NaN.
    ///   - classes: class indices are below.
    ///   - topK: candidates that kinds whose dropped boxes suppress look at, a group.
    func thin(
        _ candidates: [Detection], classes: Int, iouThreshold: Float, topK: Int = .max, limit: Int = .max
    ) -> [Detection] {
        let keys = candidates.enumerated().map { ordinal, candidate in
            CandidateKey.make(candidate.score, ordinal: ordinal, reversed: comparesPixels)
        }
        let perClass = self.candidates == .everyClass
        return walk(keys, groups: perClass ? classes : 1, iouThreshold: iouThreshold, topK: topK, limit: limit) {
            (perClass ? candidates[$0].classIndex : 0, candidates[$0].box)
        }.map { candidates[$0.ordinal] }
    }

    /// Only as many candidates are looked at as it takes to fill the result: a box is dropped by better ones alone.
    private func walk(
        _ keys: [UInt64], groups count: Int, iouThreshold: Float, topK: Int, limit: Int,
        _ candidate: (_ ordinal: Int) -> (group: Int, box: Box<Float>)
    ) -> [(ordinal: Int, box: Box<Float>)] {
        var queue = CandidateQueue(keys)
        var groups = [BoxGroup](repeating: BoxGroup(), count: count)
        let rule = sx_detect_overlap_rule(
            extent: comparesPixels ? 1 : 0, threshold: iouThreshold, comparison: comparison)
        var survivors: [(ordinal: Int, box: Box<Float>)] = []
        while survivors.count < limit, let key = queue.popLargest() {
            let ordinal = CandidateKey.ordinal(key, reversed: comparesPixels)
            let (group, box) = candidate(ordinal)
            guard !droppedBoxesSuppress || groups[group].count < topK else { continue }
            let entry = sx_detect_box(box, extent: rule.extent)
            let isSuppressed = groups[group].overlaps(entry, rule)
            if droppedBoxesSuppress || !isSuppressed { groups[group].append(entry) }
            if !isSuppressed { survivors.append((ordinal, box)) }
        }
        return survivors
    }

    /// Boxes without an area overlap none, but for the kinds whose reference lets 0/0 count.
    private var comparison: sx_detect_comparison {
        if comparesPixels { return SX_DETECT_AT_LEAST }
        return droppedBoxesSuppress ? SX_DETECT_NOT_AT_MOST : SX_DETECT_ABOVE
    }

    /// One key a candidate; they sort by score, then by ordinal.
    private func candidateKeys(_ anchors: Anchors, _ parameters: Parameters) -> [UInt64] {
        var floor = parameters.scoreThreshold > 0 ? parameters.scoreThreshold : -Float.infinity
        if usesConfidenceThreshold { floor = max(floor, parameters.confidenceThreshold) }
        var keys: [UInt64] = []
        for index in anchors.rows.indices {
            switch candidates {
            case .everyClass:
                for classIndex in 0..<anchors.classes {
                    let score = anchors.score(index, class: classIndex)
                    guard score > floor else { continue }
                    let ordinal = classIndex * anchors.rows.count + index
                    keys.append(CandidateKey.make(score, ordinal: ordinal, reversed: comparesPixels))
                }
            case .bestClass:
                let score = anchors.score(index, class: bestClass(index, anchors))
                guard score > floor else { continue }
                keys.append(CandidateKey.make(score, ordinal: index, reversed: comparesPixels))
            }
        }
        return keys
    }

    private func resolve(_ ordinal: Int, _ anchors: Anchors) -> (classIndex: Int, index: Int) {
        switch candidates {
        case .everyClass: (ordinal / anchors.rows.count, ordinal % anchors.rows.count)
        case .bestClass: (bestClass(ordinal, anchors), ordinal)
        }
    }

    private func bestClass(_ index: Int, _ anchors: Anchors) -> Int {
        var best = 0
        var bestScore = -Float.infinity
        for classIndex in 0..<anchors.classes {
            let score = anchors.score(index, class: classIndex)
            if score > bestScore { (best, bestScore) = (classIndex, score) }
        }
        return best
    }

    private func compared(_ box: Box<Float>, _ parameters: Parameters) -> Box<Float> {
        guard comparesPixels else { return box }
        return Box(
            x1: box.x1 * parameters.inputWidth, y1: box.y1 * parameters.inputHeight,
            x2: box.x2 * parameters.inputWidth, y2: box.y2 * parameters.inputHeight)
    }

    /// Back to relative corners; the rounding of the way there stays, as in the reference.
    private func restored(_ box: Box<Float>, _ parameters: Parameters) -> Box<Float> {
        guard comparesPixels else { return box }
        return Box(
            x1: box.x1 / parameters.inputWidth, y1: box.y1 / parameters.inputHeight,
            x2: box.x2 / parameters.inputWidth, y2: box.y2 / parameters.inputHeight)
    }
}
