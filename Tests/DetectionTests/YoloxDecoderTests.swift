import TensorCore
import Testing

@testable import Detection

/// Drawn rows over 32 × 32 pixels: 16 cells of stride 8, 4 of 16, 1 of 32.
@Suite struct YoloxDecoderTests {
    /// Offsets and logarithms of sizes in cells, objectness, scores of two classes.
    private let drawn: [Int: [Float]] = [
        // Row 2, column 1: centre (12, 16), 8 × 8.
        9: [0.5, 0, 0, 0, 0.75, 0.5, 0.25],
        // Stride 16, row 0, column 1: centre (20, 8), 16 × 16.
        17: [0.25, 0.5, 0, 0, 1, 0.125, 0.5],
        // Stride 32: centre (16, 16), 16 × 8.
        20: [0.5, 0.5, -0.6931472, -1.3862944, 0.875, 0, 1],
    ]

    private func outputs(_ drawn: [Int: [Float]]) throws -> [String: Tensor] {
        let quiet = [Float](repeating: 0, count: 7)
        return try DenseHeads.outputs(["detections": ((0..<21).flatMap { drawn[$0] ?? quiet }, [1, 21, 7])])
    }

    private func decoder(
        _ parameters: [String: CardValue] = [:], roles: [String] = ["detections"],
        geometry: ImageGeometry = DenseHeads.letterbox
    ) throws -> YoloxDecoder {
        try YoloxDecoder(card: DenseHeads.card("yolox", roles, parameters, geometry: geometry))
    }

    @Test func cellsAreDecoded() throws {
        let found = try decoder().decode(outputs(drawn))
        // Objectness times the best class.
        #expect(found.map(\.score) == [0.875, 0.5, 0.375] && found.map(\.classIndex) == [1, 1, 0])
        // (8, 12, 24, 20), (12, 0, 28, 16) and (8, 12, 16, 20) in the input: twice its pixels, 8 rows up, held inside.
        let boxes = found.map(\.exactBox)
        #expect(abs(boxes[0].x1 - 16) < 1e-4 && abs(boxes[0].x2 - 48) < 1e-4)
        #expect(abs(boxes[0].y1 - 8) < 1e-4 && abs(boxes[0].y2 - 24) < 1e-4)
        #expect(boxes[1] == Box(x1: 24, y1: 0, x2: 56, y2: 16) && boxes[2] == Box(x1: 16, y1: 8, x2: 32, y2: 24))
        #expect(found.allSatisfy { $0.mask == nil })
        #expect(try decoder().decode(outputs(drawn), .init(scoreThreshold: 0.375)).count == 2, "strictly above")
        #expect(try decoder(["max_detections": .number(1)]).decode(outputs(drawn)).map(\.score) == [0.875])
    }

    @Test func boxesMayBeDecodedInTheGraph() throws {
        // Any number of rows: centre, width and height in input pixels.
        let rows: [Float] = [12, 16, 8, 8, 0.75, 0.5, 0.25, 20, 8, 16, 16, 1, 0.125, 0.5]
        let found = try decoder(["decoded": .flag(true)]).decode(
            DenseHeads.outputs(["detections": (rows, [1, 2, 7])]))
        #expect(found.map(\.score) == [0.5, 0.375])
        #expect(found.map(\.exactBox) == [Box(x1: 24, y1: 0, x2: 56, y2: 16), Box(x1: 16, y1: 8, x2: 32, y2: 24)])
    }

    @Test func eachClassIsSuppressedApart() throws {
        // 8 × 8 inside 16 × 8: an IoU of 0.5.
        func scores(_ classIndex: Int, _ parameters: [String: CardValue] = [:]) throws -> [Float] {
            var pair = drawn
            pair[17] = nil
            pair[9] = [0.5, 0, 0, 0, 0.75, classIndex == 0 ? 0.5 : 0, classIndex == 1 ? 0.5 : 0]
            return try decoder(parameters).decode(outputs(pair)).map(\.score)
        }
        #expect(try scores(1) == [0.875])
        #expect(try scores(0) == [0.875, 0.375])
        #expect(try scores(1, ["iou_threshold": .number(0.55)]) == [0.875, 0.375])
    }

    @Test func boxesReturnByTheRatioFromTheCorner() throws {
        // 50 × 100 in the top left corner of 32 × 32: 16 × 32, input pixels are 0.32 picture pixels.
        let corner = ImageGeometry.letterbox(.init(width: 32, height: 32, alignment: .topLeft, rounding: .down))
        let box = try decoder(geometry: corner).decode(
            outputs: outputs(drawn.filter { $0.key == 9 }), imageWidth: 50, imageHeight: 100)[0].exactBox
        #expect(abs(box.x1 - 25) < 1e-4 && abs(box.y1 - 37.5) < 1e-4)
        #expect(box.x2 == 50 && abs(box.y2 - 62.5) < 1e-4)
    }

    @Test func valuesThatAreNotNumbersAreNeverSelected() throws {
        var rows = drawn
        rows[9]?[1] = .nan
        rows[17]?[4] = .nan
        rows[20]?[5] = .nan
        #expect(try decoder().decode(outputs(rows)).map(\.score) == [0.875])
        let nothing = try DenseHeads.outputs(["detections": ([Float](repeating: .nan, count: 147), [1, 21, 7])])
        for nms in NMS.all {
            #expect(try decoder().decode(nothing, .init(scoreThreshold: 0, nms: nms)).isEmpty)
        }
    }

    @Test(arguments: [Float.infinity, -Float.infinity, 1e30, 100]) func hugeBoxesStayInside(_ value: Float) throws {
        for position in 0..<4 {
            var rows = drawn
            for cell in rows.keys { rows[cell]?[position] = value }
            for found in try decoder().decode(outputs(rows)) {
                let box = found.exactBox
                #expect(0 <= box.x1 && box.x1 <= box.x2 && box.x2 <= 64)
                #expect(0 <= box.y1 && box.y1 <= box.y2 && box.y2 <= 32)
            }
        }
    }

    @Test func everyMisfitIsAnErrorThatNamesTheOutput() throws {
        for dims in [[1, 20, 7], [1, 21, 6], [1, 21, 8], [21, 7], [1, 0, 7], [1, 1, 21, 7]] {
            let values = [Float](repeating: 0, count: dims.reduce(1, *))
            let error = try decoder().refusal(of: DenseHeads.outputs(["detections": (values, dims)]))
            #expect(error.code == .input && error.place == "output 'detections output'", "\(error)")
        }
        let whole = try Tensor([Int64](repeating: 0, count: 147), dims: [1, 21, 7])
        #expect(try decoder().refusal(of: ["detections output": whole]).code == .input)
        #expect(try decoder().refusal(of: [:]).code == .input)
        #expect(try decoder().refusal(of: outputs(drawn), batchIndex: 1).code == .input)
    }

    @Test func wrongCardsAreRefused() throws {
        for (key, value) in [
            ("strides", CardValue.list([])), ("strides", .list([.number(8.5)])), ("decoded", .number(1)),
            ("iou_threshold", .number(1.5)), ("max_detections", .number(-1)), ("anchors", .list([])),
        ] {
            let error = try #require(throws: SardonyxError.self) { try decoder([key: value]) }
            #expect(error.code == .parse && error.place == "model card 'yolox.\(key)'", "\(error)")
        }
        for roles in [["scores"], ["detections", "proto"]] {
            let error = try #require(throws: SardonyxError.self) { try decoder(roles: roles) }
            #expect(error.code == .parse)
        }
    }

    @Test func exportsAreRecognised() throws {
        // 96 × 96 pixels: 144 + 36 + 9 cells, and 4 of stride 64.
        for (cells, strides) in [(189, [8, 16, 32]), (193, [8, 16, 32, 64])] {
            let found = try best(graph([1, 3, 96, 96], name: "images", outputs: [floats("output", [1, cells, 85])]))
            #expect(found.card.decoder == "yolox" && found.confidence == .likely && found.card.labels.count == 80)
            #expect(found.card.parameters["strides"] == .list(strides.map { .number(Double($0)) }))
            #expect(found.card.input.channels == .bgr && found.card.input.padding == 114)
            #expect(
                found.card.input.geometry
                    == .letterbox(.init(width: 96, height: 96, alignment: .topLeft, rounding: .down)))
        }
        let open = try best(graph([nil, 3, nil, nil], name: "images", outputs: [floats("output", [nil, nil, 7])]))
        #expect(open.card.decoder == "yolox" && open.card.labels == ["class 0", "class 1"])
        for outputs in [
            [floats("output", [1, 83, 85])], [floats("output", [1, 84, 5])], [floats("output0", [1, 84, 85])],
            [floats("output", [1, 84, 1 << 40])], [floats("output", [1, 84])],
        ] {
            #expect(YoloxDecoder.recognize(graph(name: "images", outputs: outputs)) == nil)
        }
    }
}
