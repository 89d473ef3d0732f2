import Foundation
import TensorCore
import Testing

@testable import Detection

/// DETR and Mask2Former: drawn queries, scores in double precision.
@Suite struct QueryDecoderTests {
    private func card(
        _ decoder: String, roles: [String], geometry: ImageGeometry = .stretch(width: 32, height: 32),
        parameters: [String: CardValue] = [:], score: Float = 0.3
    ) throws -> ModelCard {
        try ModelCard(
            name: "test", decoder: decoder, input: .init(geometry: geometry),
            outputs: Dictionary(uniqueKeysWithValues: roles.map { ($0, $0) }), parameters: parameters,
            thresholds: .init(score: score), labels: ["cat", "dog"])
    }

    private func softmax(_ logits: [Double], _ index: Int) -> Float {
        Float(exp(logits[index]) / logits.map(exp).reduce(0, +))
    }

    private func near(_ found: Instances, _ expected: [Float]) -> Bool {
        found.count == expected.count && zip(found, expected).allSatisfy { abs($0.score - $1) < 1e-6 }
    }

    @Test func everyQueryHasItsBestClass() throws {
        let outputs = [
            "logits": try Tensor([2, 1, 0, 0, 0, 3, 0, 4, 1, .nan, 9, 0] as [Float], dims: [1, 4, 3]),
            "boxes": try Tensor(
                [0.5, 0.5, 0.5, 0.5, 0, 0, 1, 1, 0.25, 0.5, 0.5, 1.5, 0.5, 0.5, 1, 1] as [Float], dims: [1, 4, 4]),
        ]
        // Padding does not count: boxes are shares of the picture.
        for geometry in [
            ImageGeometry.stretch(width: 32, height: 32), .keepRatio(shortSide: 24, longSide: 48, stride: 32),
        ] {
            let found = try DetrDecoder(card: card("detr", roles: ["logits", "boxes"], geometry: geometry)).decode(
                outputs: outputs, imageWidth: 40, imageHeight: 20)
            #expect(near(found, [softmax([0, 4, 1], 1), softmax([2, 1, 0], 0)]))
            #expect(found.map(\.label) == ["dog", "cat"])
            #expect(found[0].exactBox == Box(x1: 0, y1: 0, x2: 20, y2: 20))
            #expect(found[1].exactBox == Box(x1: 10, y1: 5, x2: 30, y2: 15) && found[1].mask == nil)
        }
    }

    @Test func underSigmoidTheBestPairsCount() throws {
        let outputs = [
            "logits": try Tensor([1, 2, -3, 0.5] as [Float], dims: [1, 2, 2]),
            "boxes": try Tensor([0.5, 0.5, 1, 1, 0.25, 0.25, 0.5, 0.5] as [Float], dims: [1, 2, 4]),
        ]
        func sigmoid(_ x: Double) -> Float { Float(1 / (1 + exp(-x))) }
        var parameters: [String: CardValue] = ["activation": .text("sigmoid")]
        func decode() throws -> Instances {
            try DetrDecoder(card: card("detr", roles: ["logits", "boxes"], parameters: parameters)).decode(
                outputs: outputs, imageWidth: 40, imageHeight: 20)
        }
        let found = try decode()
        #expect(near(found, [sigmoid(2), sigmoid(1), sigmoid(0.5)]))
        #expect(found.map(\.classIndex) == [1, 0, 1] && found[2].box == Box(x1: 0, y1: 0, x2: 20, y2: 10))
        parameters["max_detections"] = .number(1)
        #expect(try decode().map(\.classIndex) == [1])
    }

    @Test func queryMasksAreLogitsOverTheInput() throws {
        let outputs = [
            "logits": try Tensor([9, 0, 0] as [Float], dims: [1, 1, 3]),
            "boxes": try Tensor([0.5, 0.5, 0.1, 0.1] as [Float], dims: [1, 1, 4]),
            "masks": try Tensor([3, -1, -1, -1] as [Float], dims: [1, 1, 2, 2]),
        ]
        let decoder = try DetrDecoder(card: card("detr", roles: ["logits", "boxes", "masks"]))
        // -1 + 4 a b with a, b of 1, 3/4, 1/4, 0: above 0 are 1, 3/4 and 9/16; not cut at the box.
        let found = try decoder.decode(outputs: outputs, imageWidth: 4, imageHeight: 4)
        #expect(found[0].mask?.bounds == Box(x1: 0, y1: 0, x2: 2, y2: 2) && area(found[0]) == 4)
        // A probability of 0.9 is a logit of 2.197: 3 alone.
        let sure = try decoder.decode(
            outputs: outputs, imageWidth: 4, imageHeight: 4, options: DetectionOptions(maskThreshold: 0.9))
        #expect(area(sure[0]) == 1)
        let all = try decoder.decode(
            outputs: outputs, imageWidth: 4, imageHeight: 4, options: DetectionOptions(maskThreshold: 0))
        #expect(area(all[0]) == 16)
    }

    @Test func maskFormersScoreMasksToo() throws {
        let rows: [[Double]] = [[3, 1, 0], [0, 4, 1], [5, 0, 0]]
        let maps: [Float] = [2, -1, -1, 1, /**/ -1, 4, -4, -4, /**/ -1, -2, -3, -4]
        let outputs = [
            "logits": try Tensor(rows.flatMap { $0.map(Float.init) }, dims: [1, 3, 3]),
            "masks": try Tensor(maps, dims: [1, 3, 2, 2]),
        ]
        func sigmoid(_ x: Double) -> Float { Float(1 / (1 + exp(-x))) }
        let found = try Mask2FormerDecoder(card: card("mask2former", roles: ["logits", "masks"])).decode(
            outputs: outputs, imageWidth: 2, imageHeight: 2)
        // The third query's mask has no positive position.
        let cat = softmax(rows[0], 0) * (sigmoid(2) + sigmoid(1)) / 2
        let dog = softmax(rows[1], 1) * sigmoid(4)
        #expect(near(found, [dog, cat]) && found.map(\.label) == ["dog", "cat"])
        #expect(found[0].exactBox == Box(x1: 1, y1: 0, x2: 2, y2: 1) && found[0].mask?.counts == [2, 1, 1])
        #expect(found[1].exactBox == Box(x1: 0, y1: 0, x2: 2, y2: 2) && found[1].mask?.counts == [0, 1, 2, 1])
    }

    @Test func oneQueryMayHaveTwoClasses() throws {
        let outputs = [
            "logits": try Tensor([2, 2, 0] as [Float], dims: [1, 1, 3]),
            "masks": try Tensor([1, 1, 1, 1] as [Float], dims: [1, 1, 2, 2]),
        ]
        func decode(_ parameters: [String: CardValue], topK: Int? = nil) throws -> Instances {
            try Mask2FormerDecoder(card: card("mask2former", roles: ["logits", "masks"], parameters: parameters))
                .decode(
                    outputs: outputs, imageWidth: 2, imageHeight: 2, options: DetectionOptions(topK: topK))
        }
        #expect(try decode([:]).map(\.classIndex) == [0, 1])
        #expect(try decode(["max_detections": .number(1)]).map(\.classIndex) == [0])
        #expect(try decode([:], topK: 1).map(\.classIndex) == [0])
    }

    @Test func misfitsNameTheOutput() throws {
        func zeros(_ dims: [Int]) throws -> Tensor {
            try Tensor([Float](repeating: 0, count: dims.reduce(1, *)), dims: dims)
        }
        let detr = try DetrDecoder(card: card("detr", roles: ["logits", "boxes", "masks"]))
        let former = try Mask2FormerDecoder(card: card("mask2former", roles: ["logits", "masks"]))
        for (name, dims) in [
            ("logits", [1, 2, 4]), ("logits", [2, 3]), ("boxes", [1, 3, 4]), ("boxes", [1, 2, 5]),
            ("masks", [1, 3, 2, 2]), ("masks", [1, 2, 0, 2]), ("masks", [1, 2, 2]),
        ] {
            var outputs = [
                "logits": try zeros([1, 2, 3]), "boxes": try zeros([1, 2, 4]), "masks": try zeros([1, 2, 2, 2]),
            ]
            outputs[name] = try zeros(dims)
            let decoders: [any Detector] = name == "boxes" ? [detr] : [detr, former]
            for decoder in decoders {
                let error = try #require(throws: SardonyxError.self) {
                    try decoder.decode(outputs: outputs, imageWidth: 4, imageHeight: 4)
                }
                #expect(error.code == .input && error.place == "output '\(name)'", "\(error)")
            }
        }
        for (name, parameters) in [
            ("detr", ["activation": CardValue.text("none")]), ("mask2former", ["x": .flag(true)]),
        ] {
            #expect(throws: SardonyxError.self) {
                _ = try DetectorTable.detector(
                    for: card(
                        name, roles: name == "detr" ? ["logits", "boxes"] : ["logits", "masks"], parameters: parameters)
                )
            }
        }
    }
}
