import TensorCore

extension Detector {
    /// What NMS (greedy, if the caller names no other) and the limits leave, best first; of equal scores the earlier
    /// first.
    /// - Parameter candidates: their classes are the card's, none has a NaN.
    /// - Throws: `limit` for more candidates than NMS can tell apart.
    func survivors(
        of candidates: [NMS.Detection], iouThreshold: Float, maximumDetections: Int, _ options: DetectionOptions
    ) throws(SardonyxError) -> [NMS.Detection] {
        guard candidates.count <= CandidateKey.maximumOrdinal else {
            throw SardonyxError(
                .limit, "NMS", "candidates", got: "\(candidates.count)",
                allowed: "at most \(CandidateKey.maximumOrdinal)")
        }
        let limit = min(maximumDetections, options.topK ?? card.thresholds.topK)
        return (options.nms ?? .greedy).thin(
            candidates, classes: card.labels.count, iouThreshold: iouThreshold, limit: limit)
    }

    /// - Parameters:
    ///   - boxes: one a detection, in the picture's pixels.
    ///   - masks: one a detection; `nil` for a detector that finds boxes only.
    func instances(
        _ found: [NMS.Detection], _ boxes: [Box<Float>], masks: [RLE]? = nil, _ placement: Placement
    ) -> Instances {
        Instances(
            found.indices.map { index in
                Instance(
                    card, classIndex: found[index].classIndex, score: found[index].score, exactBox: boxes[index],
                    mask: masks?[index])
            }, placement)
    }
}

extension HeadTensor {
    /// - Parameters:
    ///   - values: what an anchor (or another unit) has.
    ///   - wanted: what the card's labels and the other outputs make of it.
    ///   - parts: how `wanted` comes about.
    /// - Throws: `input` for another number.
    func expect(values: Int, wanted: Int, _ parts: String) throws(SardonyxError) {
        guard values == wanted else {
            throw SardonyxError(
                .input, "output '\(name)'", "values an anchor", got: "\(values) in \(dims)",
                allowed: "\(wanted): \(parts)")
        }
    }
}
