import TensorCore
import Testing

@testable import Detection

/// Cards and tensors for drawn heads.
enum DenseHeads {
    /// 32 × 32 pixels around a picture's middle: one of 64 × 32 is halved and lies in rows 8 to 24.
    static let letterbox = ImageGeometry.letterbox(ImageGeometry.Letterbox(width: 32, height: 32))

    static func card(
        _ decoder: String, _ roles: [String], _ parameters: [String: CardValue] = [:], classes: Int = 2,
        score: Float = 0.3, geometry: ImageGeometry = letterbox
    ) throws -> ModelCard {
        try ModelCard(
            name: "test", decoder: decoder, input: .init(geometry: geometry),
            outputs: Dictionary(uniqueKeysWithValues: roles.map { ($0, "\($0) output") }), parameters: parameters,
            thresholds: .init(score: score, topK: 100), labels: (0..<classes).map { "class \($0)" })
    }

    static func outputs(_ tensors: [String: ([Float], [Int])]) throws -> [String: Tensor] {
        var outputs: [String: Tensor] = [:]
        for (role, (values, dims)) in tensors { outputs["\(role) output"] = try Tensor(values, dims: dims) }
        return outputs
    }

    /// `[rows][columns]` as `[columns][rows]`.
    static func transposed(_ rows: [[Float]]) -> [Float] {
        (rows.first ?? []).indices.flatMap { column in rows.map { $0[column] } }
    }

    /// Logits of a distribution that is certain of each distance.
    static func certain(_ distances: [Int], bins: Int) -> [Float] {
        distances.flatMap { distance in (0..<bins).map { $0 == distance ? 60 : 0 } }
    }
}

extension Detector {
    /// What a picture of 64 × 32 gives.
    func decode(
        _ outputs: [String: Tensor], batchIndex: Int = 0, _ options: DetectionOptions = DetectionOptions(),
        threads: Int = 1
    ) throws -> Instances {
        try decode(
            outputs: outputs, batchIndex: batchIndex, imageWidth: 64, imageHeight: 32, options: options,
            threads: threads)
    }

    /// The error of outputs that do not fit.
    func refusal(of outputs: [String: Tensor], batchIndex: Int = 0) throws -> SardonyxError {
        try #require(throws: SardonyxError.self) { try decode(outputs, batchIndex: batchIndex) }
    }
}
