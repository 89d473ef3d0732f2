import Foundation
import TensorCore
import Testing

@testable import Detection

/// Semantic segmentation and classification: small logits, expected values in double precision.
@Suite struct WholePictureDecoderTests {
    private func card(
        _ decoder: String, geometry: ImageGeometry = .stretch(width: 8, height: 8),
        parameters: [String: CardValue] = [:], score: Float = 0, topK: Int = 100,
        labels: [String] = ["sky", "road", "tree"]
    ) throws -> ModelCard {
        try ModelCard(
            name: "test", decoder: decoder, input: .init(geometry: geometry), outputs: ["logits": "logits"],
            parameters: parameters, thresholds: .init(score: score, topK: topK), labels: labels)
    }

    private func softmax(_ logits: [Double], _ index: Int) -> Double {
        exp(logits[index]) / logits.map(exp).reduce(0, +)
    }

    /// Three planes of 2 × 2: left column plane 0, top right plane 1, bottom right plane 2.
    private let planes: [Float] = [3, 0, 2, 0, /**/ 0, 4, 0, 0, /**/ 0, 1, 0, 1]

    @Test func everyClassThatOccursIsOneInstance() throws {
        let found = try SemanticDecoder(card: card("semantic")).decode(
            outputs: ["logits": Tensor(planes, dims: [1, 3, 2, 2])], imageWidth: 2, imageHeight: 2)
        let expected = [
            (softmax([0, 4, 1], 1), 1), ((softmax([3, 0, 0], 0) + softmax([2, 0, 0], 0)) / 2, 0),
            (softmax([0, 0, 1], 2), 2),
        ]
        #expect(found.map(\.classIndex) == expected.map(\.1))
        #expect(zip(found, expected).allSatisfy { abs(Double($0.score) - $1.0) < 1e-6 })
        #expect(
            found[0].mask?.counts == [2, 1, 1] && found[1].mask?.counts == [0, 2, 2] && found[2].mask?.counts == [3, 1])
        #expect(found[1].exactBox == Box(x1: 0, y1: 0, x2: 1, y2: 2))
    }

    @Test func theBackgroundIsLeftOut() throws {
        let tensor = try Tensor(planes, dims: [1, 3, 2, 2])
        // Labels without the background count past it, labels with it do not.
        for (labels, expected) in [(["road", "tree"], [0, 1]), (["sky", "road", "tree"], [1, 2])] {
            let found = try SemanticDecoder(
                card: card("semantic", parameters: ["background": .number(0)], labels: labels)
            ).decode(outputs: ["logits": tensor], imageWidth: 2, imageHeight: 2)
            #expect(found.map(\.label) == ["road", "tree"] && found.map(\.classIndex) == expected)
        }
        #expect(throws: SardonyxError.self) {
            _ = try SemanticDecoder(card: card("semantic", parameters: ["background": .number(4)]))
        }
    }

    @Test func logitsAreSampledBeforeTheyAreCompared() throws {
        // Two classes along one row of two: class 1 is better where 4 w - 3 (1 - w) > 0, w of 0, 1/4, 3/4, 1.
        let values: [Float] = [3, 0, /**/ 0, 4]
        for threads in [1, 3] {
            let found = try SemanticDecoder(card: card("semantic", labels: ["a", "b"])).decode(
                outputs: ["logits": Tensor(values, dims: [1, 2, 1, 2])], imageWidth: 4, imageHeight: 3, threads: threads
            )
            #expect(found.map(\.classIndex).sorted() == [0, 1] && found.map { area($0) } == [6, 6])
            let scores = [
                (softmax([3, 0], 0) + softmax([2.25, 1], 0)) / 2, (softmax([0, 4], 1) + softmax([0.75, 3], 1)) / 2,
            ]
            for instance in found { #expect(abs(Double(instance.score) - scores[instance.classIndex]) < 1e-6) }
        }
    }

    @Test func pixelsWithoutANumberHaveNoClass() throws {
        var values = planes
        for index in [0, 5] { values[index] = .nan }
        let found = try SemanticDecoder(card: card("semantic")).decode(
            outputs: ["logits": Tensor(values, dims: [1, 3, 2, 2])], imageWidth: 2, imageHeight: 2)
        #expect(found.map(\.classIndex).sorted() == [0, 2] && found.map { area($0) } == [1, 1])
    }

    @Test func classesComeBestFirst() throws {
        let tensor = try Tensor([1, 3, .nan, -1, 2, 2] as [Float], dims: [2, 3])
        func decode(_ activation: String, batchIndex: Int = 1, topK: Int = 2) throws -> Instances {
            try ClassificationDecoder(
                card: card(
                    "classification", geometry: .centerCrop(width: 8, height: 8, shortSide: 9),
                    parameters: ["activation": .text(activation)], topK: topK)
            ).decode(outputs: ["logits": tensor], batchIndex: batchIndex, imageWidth: 30, imageHeight: 20)
        }
        let found = try decode("softmax")
        #expect(found.map(\.label) == ["road", "tree"] && abs(Double(found[0].score) - softmax([-1, 2, 2], 1)) < 1e-6)
        #expect(found[0].exactBox == Box(x1: 0, y1: 0, x2: 30, y2: 20) && found[0].mask == nil)
        #expect(try decode("sigmoid", topK: 1).map { abs($0.score - 1 / (1 + exp(-2))) < 1e-6 } == [true])
        #expect(try decode("none", batchIndex: 0).map(\.score) == [3, 1])
        #expect(try decode("softmax", batchIndex: 0).isEmpty)
    }

    @Test func misfitsNameTheOutput() throws {
        func zeros(_ dims: [Int]) throws -> Tensor {
            try Tensor([Float](repeating: 0, count: dims.reduce(1, *)), dims: dims)
        }
        let decoders: [(any Detector, [[Int]])] = [
            (try SemanticDecoder(card: card("semantic")), [[1, 4, 2, 2], [3, 2, 2], [1, 3, 0, 2], [0, 3, 2, 2]]),
            (try ClassificationDecoder(card: card("classification")), [[1, 4], [3], [1, 3, 1], [0, 3]]),
        ]
        for (decoder, shapes) in decoders {
            for dims in shapes {
                let error = try #require(throws: SardonyxError.self) {
                    try decoder.decode(outputs: ["logits": zeros(dims)], imageWidth: 4, imageHeight: 4)
                }
                #expect(error.code == .input, "\(error)")
            }
        }
    }
}
