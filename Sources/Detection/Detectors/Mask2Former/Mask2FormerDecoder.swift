import TensorCore

/// MaskFormer (arXiv 2107.06278) and Mask2Former (arXiv 2112.01527) as Hugging Face exports them: queries with class
/// logits and masks, read as instances.
///
/// Output roles, Q queries, C classes: `logits` [N, Q, C + 1] (last: no object), `masks` [N, Q, h, w], logits over the
/// input. The best (query, class) pairs count; a score is the class's probability times the mean probability of the
/// mask's own positions. Boxes are the masks' bounds.
public struct Mask2FormerDecoder: Detector {
    public let card: ModelCard
    private let roles: OutputRoles
    private let maximumDetections: Int

    public init(card: ModelCard) throws(SardonyxError) {
        self.card = card
        let section = CardSection("mask2former", card.parameters)
        try section.refuseKeys(beyond: ["max_detections"])
        maximumDetections = try section.count("max_detections") ?? 100
        roles = try OutputRoles(card, required: ["logits", "masks"])
        try card.input.requireWholePicture(for: card.decoder)
    }

    public var outputNames: [String] { roles.names }

    public func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances {
        try options.refuseSuppression(by: card.decoder)
        let logits = try roles.floats("logits", of: outputs, batchIndex: batchIndex, rank: 2)
        try logits.expect([nil, card.labels.count + 1])
        let maps = try QueryMaps(
            roles.floats("masks", of: outputs, batchIndex: batchIndex, rank: 3), queries: logits.dims[0])

        let found = try candidates(logits, maps, floor: options.scoreThreshold ?? card.thresholds.score, threads)
        let queries = Array(Set(found.map(\.query))).sorted()
        let masks = Dictionary(
            uniqueKeysWithValues: zip(
                queries, try maps.masks(of: queries, placement: placement, options: options, threads: threads)))
        let instances = found.compactMap { candidate -> Instance? in
            guard let mask = masks[candidate.query], let bounds = mask.bounds else { return nil }
            return Instance(
                card, classIndex: candidate.classIndex, score: candidate.score, exactBox: Box(bounds), mask: mask)
        }
        return Instances(Array(instances.prefix(options.topK ?? card.thresholds.topK)), placement)
    }

    private struct Candidate {
        let query: Int
        let classIndex: Int
        var score: Float
    }

    /// Those whose score is above `floor`, best first; of equal scores the surer class first.
    private func candidates(
        _ logits: HeadTensor, _ maps: QueryMaps, floor: Float, _ threads: Int
    ) throws(SardonyxError) -> [Candidate] {
        let (queries, classes) = (logits.dims[0], card.labels.count)
        try CandidateKey.requireOrdinals(for: queries, "queries", classes: classes, at: card.decoder)
        var scores = [Float](repeating: 0, count: classes + 1)
        var keys: [UInt64] = []
        var classProbabilities: [Float] = []
        var ordinals: [Int] = []
        for query in 0..<queries {
            ScoreActivation.softmax.apply(logits.values + query * (classes + 1), count: classes + 1, to: &scores)
            // The score is no higher than the class's probability.
            for classIndex in 0..<classes where scores[classIndex] > floor {
                keys.append(CandidateKey.make(scores[classIndex], ordinal: keys.count, reversed: false))
                classProbabilities.append(scores[classIndex])
                ordinals.append(query * classes + classIndex)
            }
        }
        let best = CandidateQueue.best(maximumDetections, of: keys).map { index in
            Candidate(
                query: ordinals[index] / classes, classIndex: ordinals[index] % classes,
                score: classProbabilities[index])
        }
        let quality = quality(of: Array(Set(best.map(\.query))).sorted(), maps, threads)
        let scored = best.compactMap { candidate -> Candidate? in
            var candidate = candidate
            candidate.score *= quality[candidate.query] ?? 0
            return candidate.score > floor ? candidate : nil
        }
        let order = scored.indices.map { CandidateKey.make(scored[$0].score, ordinal: $0, reversed: false) }
        return CandidateQueue.best(.max, of: order).map { scored[$0] }
    }

    /// The mean probability of each query's positive positions; 0 without any.
    private func quality(of queries: [Int], _ maps: QueryMaps, _ threads: Int) -> [Int: Float] {
        var means = [Float](repeating: 0, count: queries.count)
        let count = maps.rows * maps.columns
        means.withUnsafeMutableBufferPointer { slots in
            // Every index writes its own slot.
            nonisolated(unsafe) let (slots, maps) = (slots, maps)
            parallelFor(threads: threads, count: queries.count) { index, _ in
                let values = maps.map(queries[index])
                var (sum, positive) = (0.0, 0)
                for position in 0..<count where values[position] > 0 {
                    sum += Double(Sigmoid.of(values[position]))
                    positive += 1
                }
                slots[index] = positive == 0 ? 0 : Float(sum / Double(positive))
            }
        }
        return Dictionary(uniqueKeysWithValues: zip(queries, means))
    }
}
