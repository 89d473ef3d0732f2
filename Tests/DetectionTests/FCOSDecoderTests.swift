import TensorCore
import Testing

@testable import Detection

/// Drawn heads over 32 × 32 pixels: 16 cells of stride 8, 4 of 16.
@Suite struct FCOSDecoderTests {
    /// Logits of two classes, distances to left, top, right and bottom in strides, logit of the centerness.
    private let drawn: [Int: [Float]] = [
        // Row 2, column 1, its corner: (8, 16).
        9: [2, -20, 1, 1, 2, 0.5, 2],
        // Stride 16, row 1, column 1: (16, 16); both classes.
        19: [1, 2, 0.5, 0.25, 0.5, 0.25, 0],
        // As sure as the first, but far from its object's centre.
        3: [2, -20, 0, 0, 1, 1, -9],
    ]

    private func outputs(_ drawn: [Int: [Float]]) throws -> [String: Tensor] {
        let rows = (0..<20).map { drawn[$0] ?? [-20, -20, 0, 0, 0, 0, 0] }
        return try DenseHeads.outputs([
            "scores": (rows.flatMap { $0[..<2] }, [1, 20, 2]), "boxes": (rows.flatMap { $0[2..<6] }, [1, 20, 4]),
            "centerness": (rows.map { $0[6] }, [1, 20, 1]),
        ])
    }

    private func decoder(
        _ changes: [String: CardValue] = [:], roles: [String] = ["scores", "boxes", "centerness"],
        geometry: ImageGeometry = DenseHeads.letterbox
    ) throws -> FCOSDecoder {
        let strides = ["strides": CardValue.list([.number(8), .number(16)])]
        return try FCOSDecoder(
            card: DenseHeads.card("fcos", roles, strides.merging(changes) { $1 }, geometry: geometry))
    }

    @Test func scoresAreGeometricMeansWithTheCenterness() throws {
        let found = try decoder().decode(outputs(drawn))
        // σ(2) = 0.880797, σ(1) = 0.731059: √(σ(2) σ(2)), √(σ(2) / 2), √(σ(1) / 2); the third cell's is 0.0104.
        let wanted: [Float] = [0.880797, 0.663625, 0.604591]
        #expect(found.count == 3 && zip(found, wanted).allSatisfy { abs($0.score - $1) < 2e-6 })
        #expect(found.map(\.classIndex) == [0, 1, 0])
        // (0, 8, 24, 20) and (8, 12, 24, 20) in the input: twice its pixels, 8 rows up.
        #expect(found[0].exactBox == Box(x1: 0, y1: 0, x2: 48, y2: 24))
        #expect(found[1].exactBox == Box(x1: 16, y1: 8, x2: 48, y2: 24) && found[2].exactBox == found[1].exactBox)
        #expect(found.allSatisfy { $0.mask == nil })
        #expect(try decoder().decode(outputs(drawn), .init(scoreThreshold: 0.01)).count == 4)
        #expect(try decoder().decode(outputs(drawn), .init(topK: 2)).count == 2)
    }

    @Test func theThresholdIsStrict() throws {
        // √(σ(0) σ(0)) = 0.5.
        let outputs = try outputs([0: [0, -20, 0, 0, 1, 1, 0]])
        #expect(try decoder().decode(outputs, .init(scoreThreshold: 0.5)).isEmpty)
        #expect(try decoder().decode(outputs, .init(scoreThreshold: 0.4999)).map(\.score) == [0.5])
        #expect(try decoder().decode(outputs, .init(scoreThreshold: 1)).isEmpty)
    }

    @Test func limitsHoldForLevelsAndForAll() throws {
        func found(_ key: String, _ value: Double) throws -> [Int] {
            try decoder([key: .number(value)]).decode(outputs(drawn)).map(\.classIndex)
        }
        #expect(try found("candidates_per_level", 1) == [0, 1])
        #expect(try found("max_detections", 1) == [0])
        // The smaller box of class 0 lies in the larger: an IoU of 32 · 16 / (48 · 24) = 0.444.
        #expect(try found("iou_threshold", 0.45) == [0, 1, 0])
        #expect(try found("iou_threshold", 0.44) == [0, 1])
    }

    @Test func cellsShareAnInputThatIsNoMultipleOfTheStride() throws {
        // 40 × 32 pixels: 5 × 4 cells of stride 8, 3 × 2 of 16 with a step of 13 pixels; distances still in strides.
        let rows = (0..<26).map { $0 == 25 ? [2, 0, 1, 1, 0.25, 0.5, 2] : [-20, -20, 0, 0, 0, 0, 0] as [Float] }
        let outputs = try DenseHeads.outputs([
            "scores": (rows.flatMap { $0[..<2] }, [1, 26, 2]), "boxes": (rows.flatMap { $0[2..<6] }, [1, 26, 4]),
            "centerness": (rows.map { $0[6] }, [1, 26, 1]),
        ])
        let found = try decoder(geometry: .original).decode(outputs: outputs, imageWidth: 40, imageHeight: 32)
        // Row 1, column 2: (26, 16).
        #expect(found.first?.exactBox == Box(x1: 10, y1: 0, x2: 30, y2: 24))
    }

    @Test func valuesThatAreNotNumbersAreNeverSelected() throws {
        for position in 0..<7 {
            var rows = drawn
            rows[9]?[position] = .nan
            let found = try decoder().decode(outputs(rows))
            #expect(found.map(\.classIndex) == (position == 1 ? [0, 1, 0] : [1, 0]), "\(position)")
        }
        let nothing = [Float](repeating: .nan, count: 80)
        let outputs = try DenseHeads.outputs([
            "scores": (Array(nothing[..<40]), [1, 20, 2]), "boxes": (nothing, [1, 20, 4]),
            "centerness": (Array(nothing[..<20]), [1, 20, 1]),
        ])
        for nms in NMS.all {
            #expect(try decoder().decode(outputs, .init(scoreThreshold: 0, nms: nms)).isEmpty)
        }
    }

    @Test(arguments: [Float.infinity, -Float.infinity, 1e30, -1e30]) func hugeValuesStayInside(_ value: Float) throws {
        for position in 0..<7 {
            var rows = drawn
            for cell in rows.keys { rows[cell]?[position] = value }
            for found in try decoder().decode(outputs(rows)) {
                let box = found.exactBox
                #expect(0 <= box.x1 && box.x1 <= box.x2 && box.x2 <= 64)
                #expect(0 <= box.y1 && box.y1 <= box.y2 && box.y2 <= 32)
                #expect(found.score > 0.3 && found.score <= 1)
            }
        }
    }

    @Test func everyMisfitIsAnErrorThatNamesTheOutput() throws {
        for (role, dims) in [
            ("scores", [1, 20, 3]), ("scores", [1, 21, 2]), ("scores", [20, 2]), ("boxes", [1, 19, 4]),
            ("boxes", [1, 20, 5]), ("centerness", [1, 20, 2]), ("centerness", [1, 20]), ("centerness", [1, 1, 20]),
        ] {
            var outputs = try outputs(drawn)
            outputs["\(role) output"] = try Tensor([Float](repeating: 0, count: dims.reduce(1, *)), dims: dims)
            let error = try decoder().refusal(of: outputs)
            #expect(error.code == .input && error.place == "output '\(role) output'", "\(error)")
        }
        #expect(try decoder().refusal(of: [:]).code == .input)
        #expect(try decoder().refusal(of: outputs(drawn), batchIndex: 3).code == .input)
    }

    @Test func wrongCardsAreRefused() throws {
        for (key, value) in [
            ("strides", CardValue.list([])), ("iou_threshold", .number(.nan)), ("candidates_per_level", .flag(true)),
            ("max_detections", .number(0)), ("activation", .text("sigmoid")),
        ] {
            let error = try #require(throws: SardonyxError.self) { try decoder([key: value]) }
            #expect(error.code == .parse && error.place == "model card 'fcos.\(key)'", "\(error)")
        }
        #expect(throws: SardonyxError.self) { try decoder(roles: ["scores", "boxes"]) }
    }

    @Test func torchvisionsHeadsAreRecognised() throws {
        // 64 × 64 pixels: 64 + 16 + 4 + 1 + 1 cells.
        let outputs = [floats("a", [1, 86, 91]), floats("b", [1, 86, 4]), floats("c", [1, 86, 1])]
        let card = try best(graph(outputs: outputs)).card
        #expect(card.decoder == "fcos" && card.outputs == ["scores": "a", "boxes": "b", "centerness": "c"])
        #expect(card.labels.count == 91 && card.input.mean == [123.675, 116.28, 103.53])
        let named = [
            floats("cls_logits", [1, nil, 3]), floats("bbox_ctrness", [1, nil, 1]),
            floats("bbox_regression", [1, nil, 4]),
        ]
        let open = try best(graph([1, 3, nil, nil], outputs: named)).card
        #expect(open.decoder == "fcos" && open.outputs["centerness"] == "bbox_ctrness" && open.labels.count == 3)
        #expect(FCOSDecoder.recognize(graph([1, 3, 64, 96], outputs: outputs)) == nil)
        #expect(FCOSDecoder.recognize(graph(outputs: Array(outputs.prefix(2)))) == nil)
    }
}
