import TensorCore
import Testing

@testable import Detection

/// One cell with four default boxes in the middle of 32 × 32 pixels: 8 × 8, 16 × 16, 16 × 4 and 4 × 16.
@Suite struct SSDDecoderTests {
    private let boxes: [String: CardValue] = [
        "feature_sizes": Self.numbers([[1, 1]]), "scales": .list([.number(0.25), .number(1)]),
        "aspect_ratios": Self.numbers([[4]]),
    ]
    private let priors: [Float] = [
        0.5, 0.5, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.125, 0.5, 0.5, 0.125, 0.5,
    ]

    private static func numbers(_ values: [[Double]]) -> CardValue {
        .list(values.map { .list($0.map { .number($0) }) })
    }

    private func decoder(
        _ parameters: [String: CardValue] = [:], roles: [String] = ["scores", "boxes"],
        geometry: ImageGeometry = DenseHeads.letterbox
    ) throws -> SSDDecoder {
        let made = roles.contains("priors") ? [:] : boxes
        return try SSDDecoder(
            card: DenseHeads.card("ssd", roles, made.merging(parameters) { $1 }, geometry: geometry))
    }

    /// Background and two classes; offsets of the first box.
    private func outputs(
        _ scores: [Float], offset: [Float] = [0, 0, 0, 0], priors: ([Float], [Int])? = nil
    ) throws -> [String: Tensor] {
        var tensors = [
            "scores": (scores, [1, 4, 3]), "boxes": (offset + [Float](repeating: 0, count: 12), [1, 4, 4]),
        ]
        tensors["priors"] = priors
        return try DenseHeads.outputs(tensors)
    }

    private let logits: [Float] = [0, 2, -20, 0, -20, 1, 9, 0, 0, 0, 0, 0]

    private func expectFour(_ found: Instances) {
        // 1 / (1 + e⁻²), 1 / (1 + e⁻¹); of three equal logits both classes.
        let wanted: [Float] = [0.880797, 0.731059, 0.333333, 0.333333]
        #expect(found.count == 4 && zip(found, wanted).allSatisfy { abs($0.score - $1) < 1e-6 })
        #expect(found.map(\.classIndex) == [0, 1, 0, 1])
        // Twice the input's pixels, 8 rows up.
        #expect(found[0].exactBox == Box(x1: 24, y1: 8, x2: 40, y2: 24))
        #expect(found[1].exactBox == Box(x1: 16, y1: 0, x2: 48, y2: 32))
        #expect(found[2].exactBox == Box(x1: 28, y1: 0, x2: 36, y2: 32))
    }

    @Test func defaultBoxesComeFromTheCardOrTheGraph() throws {
        try expectFour(decoder().decode(outputs(logits)))
        for dims in [[4, 4], [1, 4, 4]] {
            let outputs = try outputs(logits, priors: (priors, dims))
            try expectFour(decoder(roles: ["scores", "boxes", "priors"]).decode(outputs))
        }
        #expect(try decoder().decode(outputs(logits), .init(scoreThreshold: 0.5, topK: 1)).count == 1)
    }

    @Test func scoresMayBeActivatedInTheGraph() throws {
        let scores: [Float] = [0, 0.9, 0.1, 0, 0.3, 0.8, 1, 0, 0, 0, 0.7, 0.6]
        let found = try decoder(["activation": .text("none")]).decode(outputs(scores))
        #expect(
            found.map(\.score) == [0.9, 0.8, 0.7, 0.6] && found.map(\.classIndex) == [0, 1, 0, 1], "strictly above")
        let sigmoid = try decoder(["activation": .text("sigmoid")]).decode(outputs(logits.map { $0 == 0 ? -9 : $0 }))
        #expect(sigmoid.map(\.classIndex) == [0, 1] && abs(sigmoid[0].score - 0.880797) < 1e-6)
    }

    @Test func offsetsMoveAndScaleTheBoxes() throws {
        func box(_ offset: [Float], _ parameters: [String: CardValue] = [:]) throws -> Box<Float> {
            let only: [Float] = [0, 0.9, 0] + [Float](repeating: 0, count: 9)
            return try decoder(parameters.merging(["activation": .text("none")]) { $1 }, geometry: .original).decode(
                outputs: outputs(only, offset: offset), imageWidth: 32, imageHeight: 32)[0].exactBox
        }
        func expect(_ box: Box<Float>, _ wanted: [Float]) {
            #expect(zip([box.x1, box.y1, box.x2, box.y2], wanted).allSatisfy { abs($0 - $1) < 1e-4 }, "\(box)")
        }
        // 0.1 and 0.2 of an offset: half a side right and up; twice as wide and half as high.
        try expect(box([5, -5, 0, 0]), [16, 8, 24, 16])
        try expect(box([0, 0, 3.4657359, -3.4657359]), [8, 14, 24, 18])
        let plain = ["variances": CardValue.list([.number(1), .number(1)])]
        try expect(box([0.5, 0, 0.6931472, 0], plain), [12, 12, 28, 20])
        // Sizes grow at most 62.5 times; a box outside ends at the edge.
        try expect(box([0, 0, 1e9, .infinity]), [0, 0, 32, 32])
        try expect(box([1000, 0, 0, 0]), [32, 12, 32, 20])
        try expect(box([0, 0, -.infinity, -1e9]), [16, 16, 16, 16])
    }

    @Test func limitsHoldForClassesAndForAll() throws {
        let scores: [Float] = [0, 0.9, 0.5, 0, 0.8, 0.6, 0, 0, 0, 0, 0.4, 0.7]
        let none = ["activation": CardValue.text("none")]
        func found(_ key: String, _ value: Double) throws -> [Float] {
            try decoder(none.merging([key: .number(value)]) { $1 }).decode(outputs(scores)).map(\.score)
        }
        #expect(try found("candidates_per_class", 1) == [0.9, 0.7])
        #expect(try found("max_detections", 3) == [0.9, 0.8, 0.7])
        // 16 × 16 and either other have an IoU of 1 / 4, 8 × 8 and 4 × 16 one of 1 / 3.
        #expect(try found("iou_threshold", 0.3) == [0.9, 0.8, 0.7, 0.6])
    }

    @Test func defaultBoxesFollowStepsAndClip() throws {
        let input = try Placement(imageWidth: 32, imageHeight: 16, geometry: .original)
        func values(_ steps: [Float]?, clip: Bool) throws -> [Float] {
            try DefaultBoxes(
                featureSizes: [(rows: 1, columns: 2)], scales: [1, 0.25], aspectRatios: [[4]], steps: steps, clip: clip
            ).values(input)
        }
        // Scales 1 and √0.25, ratio 4 both ways; a step of 8 pixels is a quarter of the width and half the height.
        let sizes: [[Float]] = [[1, 1], [0.5, 0.5], [2, 0.5], [0.5, 2]]
        #expect(
            try values(nil, clip: false) == sizes.flatMap { [0.25, 0.5] + $0 } + sizes.flatMap { [0.75, 0.5] + $0 })
        let clipped = sizes.map { $0.map { min($0, 1) } }
        #expect(
            try values([8], clip: true)
                == clipped.flatMap { [0.125, 0.25] + $0 } + clipped.flatMap { [0.375, 0.25] + $0 })
    }

    @Test func valuesThatAreNotNumbersAreNeverSelected() throws {
        var scores = logits
        scores[4] = .nan
        #expect(try decoder().decode(outputs(scores, offset: [0, .nan, 0, 0])).map(\.classIndex) == [0, 1])
        let nothing = try outputs([Float](repeating: .nan, count: 12))
        for nms in NMS.all {
            #expect(try decoder().decode(nothing, .init(scoreThreshold: 0, nms: nms)).isEmpty)
        }
    }

    @Test func everyMisfitIsAnErrorThatNamesTheOutput() throws {
        let decoder = try decoder(roles: ["scores", "boxes", "priors"])
        for (role, dims) in [
            ("scores", [1, 4, 2]), ("scores", [4, 3]), ("boxes", [1, 3, 4]), ("boxes", [1, 4, 5]),
            ("priors", [3, 4]), ("priors", [1, 4, 3]), ("priors", [16]),
        ] {
            var outputs = try outputs(logits, priors: (priors, [4, 4]))
            outputs["\(role) output"] = try Tensor([Float](repeating: 0, count: dims.reduce(1, *)), dims: dims)
            let error = try decoder.refusal(of: outputs)
            #expect(error.code == .input && error.place == "output '\(role) output'", "\(error)")
        }
        let more = try DenseHeads.outputs([
            "scores": ([Float](repeating: 0, count: 15), [1, 5, 3]),
            "boxes": ([Float](repeating: 0, count: 20), [1, 5, 4]),
        ])
        let error = try self.decoder().refusal(of: more)
        #expect(error.code == .input && "\(error)".contains("feature_sizes"), "\(error)")
        #expect(try self.decoder().refusal(of: outputs(logits), batchIndex: 1).code == .input)
    }

    @Test func wrongCardsAreRefused() throws {
        for (key, value) in [
            ("feature_sizes", Self.numbers([[1]])), ("feature_sizes", Self.numbers([[1, 0]])),
            ("feature_sizes", Self.numbers([[1e7, 1e9]])), ("scales", .list([.number(1)])),
            ("aspect_ratios", Self.numbers([[1], [2]])), ("steps", .list([.number(1), .number(2)])),
            ("variances", .list([.number(1)])), ("activation", .text("tanh")), ("clip", .number(1)),
            ("candidates_per_class", .number(0)), ("priors", .flag(true)),
        ] {
            let error = try #require(throws: SardonyxError.self) { try decoder([key: value]) }
            #expect(error.code == .parse && error.place == "model card 'ssd.\(key)'", "\(error)")
        }
        // Default boxes twice, and not at all.
        #expect(throws: SardonyxError.self) { try decoder(boxes, roles: ["scores", "boxes", "priors"]) }
        #expect(throws: SardonyxError.self) {
            try SSDDecoder(card: DenseHeads.card("ssd", ["scores", "boxes"]))
        }
    }

    @Test func torchvisionsHeadsAreRecognised() throws {
        // 4 (38² + 3² + 1) + 6 (19² + 10² + 5²) and 6 (20² + 10² + 5² + 3² + 2² + 1).
        for (side, anchors) in [(300, 8732), (320, 3234)] {
            let card = try best(
                graph([1, 3, side, side], outputs: [floats("s", [1, anchors, 91]), floats("b", [1, anchors, 4])])
            ).card
            #expect(card.decoder == "ssd" && card.outputs == ["scores": "s", "boxes": "b"])
            #expect(card.labels.count == 90 && card.input.geometry == .stretch(width: side, height: side))
            let made = try #require(try SSDParameters(card.parameters, hasPriors: false).defaultBoxes)
            #expect(made.count == anchors)
            #expect(
                SSDDecoder.recognize(
                    graph(outputs: [floats("s", [1, anchors, 91]), floats("b", [1, anchors, 4])])) == nil)
        }
    }
}
