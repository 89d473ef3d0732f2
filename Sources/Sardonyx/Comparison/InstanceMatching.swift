import Detection
import TensorCore

/// The objects that two runs found in one picture, side by side.
///
/// Objects of one class belong together when their boxes overlap by at least half (intersection over union), the best
/// overlap first; each has one partner at most.
public struct InstanceMatching: Sendable, Encodable {
    /// The same object in both.
    public struct Pair: Sendable, Encodable {
        public let label: String
        /// Ranks from 0, best score first.
        public let rank: Int
        public let referenceRank: Int
        public let score: Float
        public let referenceScore: Float
        public let boxIoU: Double
        /// The largest difference of a side of the box, in pixels.
        public let boxDifference: Float
        /// `nil` unless both have masks.
        public let maskIoU: Double?
        /// Pixels that only one of the masks has.
        public let maskDifference: Int?

        public var scoreDifference: Float { abs(score - referenceScore) }
    }

    /// An object of one side only.
    public struct Lone: Sendable, Encodable {
        public let label: String
        public let rank: Int
        public let score: Float
        /// x1, y1, x2, y2 in pixels.
        public let box: [Float]
    }

    public let pairs: [Pair]
    public let lone: [Lone]
    public let referenceLone: [Lone]

    /// Largest differences at which two runs still found the same: scores 0.001 (a float32 network's errors of 1e-4 of
    /// its logits change a sigmoid by less), boxes one pixel, masks an intersection over union of 0.95.
    public static let scoreTolerance: Float = 1e-3
    public static let boxTolerance: Float = 1
    public static let leastMaskIoU = 0.95

    public var isWithin: Bool {
        lone.isEmpty && referenceLone.isEmpty
            && pairs.allSatisfy {
                $0.scoreDifference <= Self.scoreTolerance && $0.boxDifference <= Self.boxTolerance
                    && ($0.maskIoU ?? 1) >= Self.leastMaskIoU
            }
    }

    /// - Throws: `value` when masks of a pair differ in size.
    public init(
        _ instances: Instances, _ reference: Instances, leastIoU: Double = 0.5
    ) throws(SardonyxError) {
        var candidates: [(iou: Double, rank: Int, other: Int)] = []
        for (rank, instance) in instances.enumerated() {
            for (other, expected) in reference.enumerated() where expected.classIndex == instance.classIndex {
                let iou = instance.exactBox.iou(with: expected.exactBox)
                if iou >= leastIoU { candidates.append((iou, rank, other)) }
            }
        }
        candidates.sort { ($1.iou, $0.rank, $0.other) < ($0.iou, $1.rank, $1.other) }
        var taken: Set<Int> = []
        var takenOthers: Set<Int> = []
        var pairs: [Pair] = []
        for (iou, rank, other) in candidates where !taken.contains(rank) && !takenOthers.contains(other) {
            taken.insert(rank)
            takenOthers.insert(other)
            pairs.append(try Pair(instances[rank], rank, reference[other], other, iou))
        }
        self.pairs = pairs.sorted { $0.rank < $1.rank }
        lone = instances.enumerated().filter { !taken.contains($0.offset) }.map { Lone($0.element, $0.offset) }
        referenceLone = reference.enumerated().filter { !takenOthers.contains($0.offset) }.map {
            Lone($0.element, $0.offset)
        }
    }
}

extension InstanceMatching.Pair {
    fileprivate init(
        _ instance: Instance, _ rank: Int, _ reference: Instance, _ referenceRank: Int, _ iou: Double
    ) throws(SardonyxError) {
        label = instance.label
        self.rank = rank
        self.referenceRank = referenceRank
        score = instance.score
        referenceScore = reference.score
        boxIoU = iou
        boxDifference = zip(instance.exactBox.sides, reference.exactBox.sides).map { abs($0 - $1) }.max() ?? 0
        if let mask = instance.mask, let other = reference.mask {
            let both = try mask.intersectionArea(other)
            maskDifference = mask.area + other.area - 2 * both
            maskIoU = mask.area + other.area == 0 ? 1 : try mask.iou(with: other)
        } else {
            maskDifference = nil
            maskIoU = nil
        }
    }
}

extension InstanceMatching.Lone {
    fileprivate init(_ instance: Instance, _ rank: Int) {
        label = instance.label
        self.rank = rank
        score = instance.score
        box = instance.exactBox.sides
    }
}

extension Box<Float> {
    fileprivate var sides: [Float] { [x1, y1, x2, y2] }

    /// Intersection over union of areas; 1 for equal boxes, whatever their area.
    fileprivate func iou(with other: Box<Float>) -> Double {
        if self == other { return 1 }
        let width = max(0, min(x2, other.x2) - max(x1, other.x1))
        let height = max(0, min(y2, other.y2) - max(y1, other.y1))
        let both = Double(width) * Double(height)
        let union =
            Double(self.width) * Double(self.height) + Double(other.width) * Double(other.height) - both
        return union > 0 ? both / union : 0
    }
}
