import TensorCore

/// Turns a network's outputs into instances. A detector is made from a model card and is immutable.
public protocol Detector: Sendable {
    /// - Throws: `parse` naming the key of the card that is missing or wrong.
    init(card: ModelCard) throws(SardonyxError)

    var card: ModelCard { get }

    /// The graph outputs that `detect` reads.
    var outputNames: [String] { get }

    /// What `decode` gives, for options that are valid and outputs that outlive the call.
    /// - Throws: as `decode`.
    func detect(
        in outputs: [String: Tensor], batchIndex: Int, placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> Instances

    /// A card for a graph that looks like one of this detector's; `nil` when it does not.
    static func recognize(_ graph: GraphSignature) -> CardProposal?
}

extension Detector {
    /// The instances found in one picture, best first.
    /// - Parameters:
    ///   - outputs: the graph's outputs by name.
    ///   - batchIndex: which picture of the batch.
    ///   - placement: where that picture lies in the network's input.
    ///   - threads: at most this many work on it.
    /// - Throws: `input` for a missing output or one whose rank, extents or type do not fit, `usage` for an option
    ///   out of range, `limit` when there is no memory.
    public func decode(
        outputs: [String: Tensor], batchIndex: Int = 0, placement: Placement,
        options: DetectionOptions = DetectionOptions(), threads: Int = 1
    ) throws(SardonyxError) -> Instances {
        try options.validate()
        defer { withExtendedLifetime(outputs) {} }
        return try detect(
            in: outputs, batchIndex: batchIndex, placement: placement, options: options, threads: threads)
    }

    public static func recognize(_ graph: GraphSignature) -> CardProposal? { nil }
}

/// What the caller of a detector chooses; `nil` means what the card says.
public struct DetectionOptions: Sendable, Hashable {
    /// Instances at or below this score are left out; 0 keeps all, as evaluation wants.
    public var scoreThreshold: Float?
    /// At most this many instances, best first.
    public var topK: Int?
    /// `nil` means the detector's own.
    public var nms: NMS?
    /// Masks end at their box, as the detector's reference cuts them.
    public var cropsMasks: Bool
    /// A pixel belongs to the mask if its value is above; 0 to 1.
    public var maskThreshold: Float?

    public init(
        scoreThreshold: Float? = nil, topK: Int? = nil, nms: NMS? = nil, cropsMasks: Bool = true,
        maskThreshold: Float? = nil
    ) {
        self.scoreThreshold = scoreThreshold
        self.topK = topK
        self.nms = nms
        self.cropsMasks = cropsMasks
        self.maskThreshold = maskThreshold
    }

    /// - Throws: `usage` naming the option out of range.
    package func validate() throws(SardonyxError) {
        for (name, value) in [("score threshold", scoreThreshold), ("mask threshold", maskThreshold)] {
            guard let value else { continue }
            guard value >= 0, value <= 1 else {
                throw SardonyxError(.usage, name, "out of range", got: "\(value)", allowed: "0 to 1")
            }
        }
        if let topK, topK < 1 {
            throw SardonyxError(.usage, "top-k", "out of range", got: "\(topK)", allowed: "1 or more")
        }
    }

    /// For detectors whose graphs leave nothing to suppress.
    /// - Throws: `usage` when a kind of suppression was asked for.
    func refuseSuppression(by decoder: String) throws(SardonyxError) {
        guard let nms else { return }
        throw SardonyxError(
            .usage, "NMS", "\(decoder) suppresses nothing: its graph has decided", got: "'\(nms.name)'")
    }
}
