import TensorCore
import Testing

@testable import Detection

/// One anchor of 8 × 8 pixels at the corner of each of the four cells of stride 16, and one of 16 × 16 at the corner of
/// the cell of stride 32, over 32 × 32 pixels.
@Suite struct RetinaNetDecoderTests {
    private let parameters: [String: CardValue] = [
        "strides": .list([.number(16), .number(32)]), "sizes": .list([.list([.number(8)]), .list([.number(16)])]),
        "aspect_ratios": .list([.number(1)]),
    ]
    /// Logits of two classes.
    private let logits: [Float] = [-20, -20, -20, -20, 0, -20, 2, -20, -20, 1]
    /// Centre x, y in anchor sizes, logarithms of the width and height ratio.
    private let offsets: [Float] = [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0, 0.6931472, 0, 1, 1, 0, 0,
    ]

    private func decoder(
        _ changes: [String: CardValue] = [:], roles: [String] = ["scores", "boxes"],
        geometry: ImageGeometry = DenseHeads.letterbox
    ) throws -> RetinaNetDecoder {
        try RetinaNetDecoder(
            card: DenseHeads.card("retinanet", roles, parameters.merging(changes) { $1 }, geometry: geometry))
    }

    private func outputs(_ scores: [Float], _ offsets: [Float]) throws -> [String: Tensor] {
        try DenseHeads.outputs(["scores": (scores, [1, 5, 2]), "boxes": (offsets, [1, 5, 4])])
    }

    @Test func offsetsFromTheAnchorsOfEveryLevel() throws {
        let found = try decoder().decode(outputs(logits, offsets))
        // 1 / (1 + e⁻²), 1 / (1 + e⁻¹), 1 / 2.
        let wanted: [Float] = [0.880797, 0.731059, 0.5]
        #expect(found.map(\.classIndex) == [0, 1, 0] && zip(found, wanted).allSatisfy { abs($0.score - $1) < 1e-6 })
        // From (12, 12, 20, 20) half a side right and twice as wide: (12, 12, 28, 20) in the input.
        let box = found[0].exactBox
        #expect(abs(box.x1 - 24) < 1e-4 && box.y1 == 8 && abs(box.x2 - 56) < 1e-4 && box.y2 == 24)
        // From (-8, -8, 8, 8) a side right and down; (-4, 12, 4, 20), held inside the picture.
        #expect(found[1].exactBox == Box(x1: 16, y1: 0, x2: 48, y2: 32))
        #expect(found[2].exactBox == Box(x1: 0, y1: 8, x2: 8, y2: 24))
        #expect(found.allSatisfy { $0.mask == nil })
        let half = try decoder().decode(outputs(logits, offsets), .init(scoreThreshold: 0.5, topK: 5))
        #expect(half.count == 2, "strictly above")
    }

    @Test func scoresMayBeActivatedInTheGraph() throws {
        let scores: [Float] = [0, 0, 0, 0, 0.5, 0.4, 0.3, 0, 0, 0.6]
        let none = ["activation": CardValue.text("none")]
        let found = try decoder(none).decode(outputs(scores, offsets))
        #expect(found.map(\.score) == [0.6, 0.5, 0.4] && found.map(\.classIndex) == [1, 0, 1])
        func scored(_ key: String, _ value: Double) throws -> [Float] {
            try decoder(none.merging([key: .number(value)]) { $1 }).decode(outputs(scores, offsets)).map(\.score)
        }
        // The best of each level; the best of all.
        #expect(try scored("candidates_per_level", 1) == [0.6, 0.5])
        #expect(try scored("max_detections", 1) == [0.6])
    }

    @Test func boxesAreHeldInsideThePictureBeforeTheyAreCompared() throws {
        // Both reach past the picture's left edge.
        var far = offsets
        far.replaceSubrange(8..<12, with: [0, 0, 0, 0])
        far.replaceSubrange(12..<16, with: [-2.5, 0, 1.0986123, 0])
        let scores: [Float] = [0, 0, 0, 0, 0.9, 0, 0.8, 0, 0, 0]
        func found(_ threshold: Double) throws -> Instances {
            try decoder(["activation": .text("none"), "iou_threshold": .number(threshold)]).decode(outputs(scores, far))
        }
        // (-4, 12, 4, 20) and (-16, 12, 8, 20): held inside, an IoU of 1 / 2; before, one of 1 / 3.
        #expect(try found(0.45).map(\.score) == [0.9])
        #expect(try found(0.55).map(\.score) == [0.9, 0.8])
    }

    @Test func anchorsAreWholeAndListRatiosOutside() throws {
        // A ratio of 4 is twice as high and half as wide; 2.5 rounds to the even 2.
        let boxes = AnchorGenerator.boxes(sizes: [8, 5], aspectRatios: [1, 4])
        #expect(
            boxes == [
                Box(x1: -4, y1: -4, x2: 4, y2: 4), Box(x1: -2, y1: -2, x2: 2, y2: 2), Box(x1: -2, y1: -8, x2: 2, y2: 8),
                Box(x1: -1, y1: -5, x2: 1, y2: 5),
            ])
        // 40 pixels of stride 16 are 3 cells, a step of 13.
        let grid = try CellGrid(strides: [16], Placement(imageWidth: 40, imageHeight: 32, geometry: .original))
        let level = try #require(try AnchorGenerator(grid, sizes: [[8, 5]], aspectRatios: [1, 4]).levels.first)
        #expect(level.count == 24)
        // Row 1, column 2, the third kind: around (26, 16).
        #expect(level.box(22) == Box(x1: 24, y1: 8, x2: 28, y2: 24))
    }

    @Test func sizesGrowWithinTheLimit() throws {
        var huge = offsets
        huge.replaceSubrange(12..<20, with: [0, 0, .infinity, 1e9, .infinity, -.infinity, -1e30, -.infinity])
        for found in try decoder().decode(outputs(logits, huge)) {
            let box = found.exactBox
            #expect(0 <= box.x1 && box.x1 <= box.x2 && box.x2 <= 64 && 0 <= box.y1 && box.y1 <= box.y2 && box.y2 <= 32)
        }
    }

    @Test func valuesThatAreNotNumbersAreNeverSelected() throws {
        var (scores, places) = (logits, offsets)
        (scores[9], places[13]) = (.nan, .nan)
        #expect(try decoder().decode(outputs(scores, places)).map(\.score) == [0.5])
        let nothing = try outputs(
            [Float](repeating: .nan, count: 10), [Float](repeating: .nan, count: 20))
        for nms in NMS.all {
            #expect(try decoder().decode(nothing, .init(scoreThreshold: 0, nms: nms)).isEmpty)
        }
    }

    @Test func everyMisfitIsAnErrorThatNamesTheOutput() throws {
        for (role, dims) in [
            ("scores", [1, 5, 3]), ("scores", [5, 2]), ("boxes", [1, 4, 4]), ("boxes", [1, 5, 5]), ("boxes", [1, 20]),
        ] {
            var outputs = try outputs(logits, offsets)
            outputs["\(role) output"] = try Tensor([Float](repeating: 0, count: dims.reduce(1, *)), dims: dims)
            let error = try decoder().refusal(of: outputs)
            #expect(error.code == .input && error.place == "output '\(role) output'", "\(error)")
        }
        let anchors = try decoder(["strides": .list([.number(8), .number(32)])]).refusal(of: outputs(logits, offsets))
        #expect(anchors.code == .input && "\(anchors)".contains("17"), "\(anchors)")
        #expect(try decoder().refusal(of: [:]).code == .input)
        #expect(try decoder().refusal(of: outputs(logits, offsets), batchIndex: -1).code == .input)
    }

    @Test func wrongCardsAreRefused() throws {
        for (key, value) in [
            ("sizes", CardValue.list([.list([.number(8)])])), ("sizes", .list([.list([]), .list([.number(8)])])),
            ("strides", .list([.number(-8)])), ("aspect_ratios", .list([.number(0)])), ("activation", .text("softmax")),
            ("iou_threshold", .text("0.5")), ("candidates_per_level", .number(0.5)), ("anchors", .number(9)),
        ] {
            let error = try #require(throws: SardonyxError.self) { try decoder([key: value]) }
            #expect(error.code == .parse && error.place == "model card 'retinanet.\(key)'", "\(error)")
        }
        for roles in [["scores"], ["scores", "boxes", "centerness"]] {
            #expect(throws: SardonyxError.self) { try decoder(roles: roles) }
        }
    }

    @Test func torchvisionsHeadsAreRecognised() throws {
        // 64 × 64 pixels: 64 + 16 + 4 + 1 + 1 cells of nine anchors.
        let fixed = try best(graph(outputs: [floats("a", [1, 774, 91]), floats("b", [1, 774, 4])])).card
        #expect(fixed.decoder == "retinanet" && fixed.outputs == ["scores": "a", "boxes": "b"])
        #expect(fixed.labels.count == 91 && fixed.labels[1] == "person")
        let letterbox = ImageGeometry.Letterbox(width: 64, height: 64, alignment: .topLeft, rounding: .down)
        #expect(fixed.input.geometry == .letterbox(letterbox) && fixed.input.std == [58.395, 57.12, 57.375])
        let named = [floats("bbox_regression", [nil, nil, 4]), floats("cls_logits", [nil, nil, 4])]
        let open = try best(graph([nil, 3, nil, nil], outputs: named)).card
        #expect(open.decoder == "retinanet" && open.outputs == ["scores": "cls_logits", "boxes": "bbox_regression"])
        #expect(open.input.geometry == .keepRatio(shortSide: 800, longSide: 1333, stride: 32))
        for outputs in [
            [floats("a", [1, 773, 91]), floats("b", [1, 773, 4])],
            [floats("a", [1, 774, 91]), floats("b", [1, 86, 4])],
            [floats("a", [1, 774, 1 << 40]), floats("b", [1, 774, 4])],
        ] {
            #expect(RetinaNetDecoder.recognize(graph(outputs: outputs)) == nil)
        }
        #expect(RetinaNetDecoder.recognize(graph([1, 3, Int.max, 1], outputs: named)) == nil)
    }
}
