/// A class of an anchor whose score is above the threshold.
struct Candidate: Sendable, Hashable {
    /// Row of the network's outputs.
    let anchor: Int
    let classIndex: Int
    let score: Float
}

extension NMS.Detection {
    /// `nil` when the box is not a number.
    init?(_ candidate: Candidate, box: Box<Float>) {
        guard box.isNumber else { return nil }
        self.init(anchor: candidate.anchor, classIndex: candidate.classIndex, score: candidate.score, box: box)
    }
}
