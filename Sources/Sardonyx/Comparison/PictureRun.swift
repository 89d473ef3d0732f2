import CKernels
import Detection
import TensorCore

/// A detector as one side of a comparison: finds the objects in pictures with a run's options.
public struct PictureRun {
    public let segmenter: Segmenter
    private let level: sx_isa?

    /// - Parameter card: `nil` takes the model's own, else the one that its graph suggests.
    /// - Throws: as making a session and `Segmenter`.
    public init(
        _ side: ModelRun, card: ModelCard? = nil, limits: RunOptions = RunOptions()
    ) throws(SardonyxError) {
        let level = try side.level()
        var options = side.options
        if !side.isOptimized { options.disabledPasses = Set(SessionOptions.passNames) }
        self.level = level
        self.segmenter = try withKernels(upTo: level) { [options] () throws(SardonyxError) in
            try Segmenter(try side.model.session(options, limits: limits), card: card)
        }
    }

    /// The instances in a picture, best first.
    /// - Throws: as `Segmenter.segment`.
    public func instances(
        in image: Image, options: DetectionOptions = DetectionOptions(), run: RunOptions = RunOptions()
    ) throws(SardonyxError) -> Instances {
        try withKernels(upTo: level) { () throws(SardonyxError) in
            try segmenter.segment(image, options: options, run: run)
        }
    }
}

/// Does something with the calling thread's kernels held to a level; `nil` leaves them as they are.
func withKernels<Result>(
    upTo level: sx_isa?, _ body: () throws(SardonyxError) -> Result
) throws(SardonyxError) -> Result {
    guard let level else { return try body() }
    let before = sx_isa_level()
    sx_isa_set_level(level)
    defer { sx_isa_set_level(before) }
    return try body()
}
