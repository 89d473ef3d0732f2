/// A class of an anchor whose score is above the threshold.
struct Candidate: Sendable, Hashable {
    /// Row of the network's outputs.
    let anchor: Int
    let classIndex: Int
    let score: Float
}

extension NMS.Detection {
    /// The best, best first; of equal scores the earlier first.
    /// - Parameter candidates: at most as many as `CandidateKey` can tell apart, no score NaN.
    static func best(_ limit: Int, of candidates: [NMS.Detection]) -> [NMS.Detection] {
        let keys = candidates.enumerated().map { ordinal, candidate in
            CandidateKey.make(candidate.score, ordinal: ordinal, reversed: false)
        }
        return CandidateQueue.best(limit, of: keys).map { candidates[$0] }
    }

    /// `nil` when the box is not a number.
    init?(_ candidate: Candidate, box: Box<Float>) {
        guard box.isNumber else { return nil }
        self.init(anchor: candidate.anchor, classIndex: candidate.classIndex, score: candidate.score, box: box)
    }
}
