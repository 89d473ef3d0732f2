import Detection
import TensorCore

/// Pictures in, instances out: preprocessing, the network and the detector that a model card names.
///
/// ```swift
/// let segmenter = try Segmenter(Model(contentsOf: "demo.onnx").session())
/// for instance in try segmenter.segment(image) { print(instance.label, instance.score) }
/// ```
public struct Segmenter: Sendable {
    public let session: Session
    public let card: ModelCard
    private let detector: any Detector
    private let preprocessor: Preprocessor
    private let inputName: String
    private let hasBatchAxis: Bool

    /// What one picture gave, with the time that each stage took.
    public struct Outcome: Sendable {
        public let instances: Instances
        public let preprocessing: Duration
        public let inference: Duration
        public let postprocessing: Duration
    }

    /// - Parameter card: `nil` means the model's own (beside the file or in its metadata), else the one that its graph
    ///   is recognised by.
    /// - Throws: `input` when there is no card and the graph is not recognised, `parse` for a wrong card, `unsupported`
    ///   for an unknown detector, `shape` when card and graph disagree.
    public init(_ session: Session, card: ModelCard? = nil) throws(SardonyxError) {
        let card = if let card { card } else { try session.model.knownCard() }
        self.session = session
        self.card = card
        self.detector = try DetectorTable.detector(for: card)
        self.preprocessor = Preprocessor(card.input)
        let input = try session.model.pictureInput(card)
        self.inputName = input.name
        self.hasBatchAxis = input.extents?.count != 3
        if let missing = session.model.missingOutputs(detector).first { throw missing }
    }

    /// The instances in a picture, best first.
    /// - Throws: as `Session.run`, and what the detector finds wrong with the outputs.
    public func segment(
        _ image: Image, options: DetectionOptions = DetectionOptions(), run: RunOptions = RunOptions()
    ) throws(SardonyxError) -> Instances {
        try outcome(for: image, options: options, run: run).instances
    }

    /// As `segment`, with the time of each stage.
    public func outcome(
        for image: Image, options: DetectionOptions = DetectionOptions(), run: RunOptions = RunOptions()
    ) throws(SardonyxError) -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        let placement = try preprocessor.placement(width: image.width, height: image.height)
        let inputs = try inputs(for: image)
        let prepared = clock.now
        let outputs = try session.run(inputs, options: run)
        let inferred = clock.now
        let instances = try detector.decode(
            outputs: outputs, batchIndex: 0, placement: placement, options: options, threads: session.options.threads)
        return Outcome(
            instances: instances, preprocessing: prepared - start, inference: inferred - prepared,
            postprocessing: clock.now - inferred)
    }

    /// What the network is fed for a picture, by input name.
    /// - Throws: `image` for a picture that the card's geometry does not allow, `limit` when there is no memory.
    public func inputs(for image: Image) throws(SardonyxError) -> [String: Tensor] {
        let tensor = try preprocessor.tensor(for: image, threads: session.options.threads)
        return [inputName: hasBatchAxis ? tensor : tensor.reshaped(try Shape(Array(tensor.shape.dims.dropFirst())))]
    }
}

/// YOLACT instance segmentation (arXiv 1904.02689): a `Segmenter` whose card must name the detector `yolact`.
public struct Yolact: Sendable {
    public let segmenter: Segmenter

    /// - Throws: as `Segmenter.init`; `unsupported` when the card names another detector.
    public init(_ session: Session, card: ModelCard? = nil) throws(SardonyxError) {
        segmenter = try Segmenter(session, card: card)
        guard segmenter.card.decoder == "yolact" else {
            throw SardonyxError(
                .unsupported, "model card 'decoder'", "not a YOLACT model", got: "'\(segmenter.card.decoder)'",
                allowed: "'yolact'", hint: "Segmenter takes every detector")
        }
    }

    /// The instances in a picture, best first.
    /// - Throws: as `Segmenter.segment`.
    public func segment(
        _ image: Image, options: DetectionOptions = DetectionOptions(), run: RunOptions = RunOptions()
    ) throws(SardonyxError) -> Instances {
        try segmenter.segment(image, options: options, run: run)
    }
}
