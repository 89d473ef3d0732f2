import TensorCore
import Testing

@testable import Detection

/// Drawn heads of both layouts, 4 bins a side, over 32 × 32 pixels: 16 cells of stride 8, 4 of 16, 1 of 32.
@Suite struct NanodetDecoderTests {
    /// One cell's scores of two classes and its distances to left, top, right and bottom in strides.
    private struct Drawn {
        let stride: Int
        let cell: Int
        let scores: [Float]
        let distances: [Int]
    }

    private let drawn = [
        // Row 2, column 1: centre (12, 20), box (4, 12, 28, 36).
        Drawn(stride: 8, cell: 9, scores: [0.1, 0.9], distances: [1, 1, 2, 2]),
        // Row 0, column 1: centre (24, 8), box (24, -8, 40, 8).
        Drawn(stride: 16, cell: 1, scores: [0.7, 0.3], distances: [0, 1, 1, 0]),
        // Centre (16, 16), box (-16, -16, 48, 48); both classes are found.
        Drawn(stride: 32, cell: 0, scores: [0.5, 0.6], distances: [1, 1, 1, 1]),
    ]

    /// A level's cells: scores, then logits of the distances.
    private func rows(_ stride: Int, _ drawn: [Drawn]) -> [[Float]] {
        var rows = [[Float]](
            repeating: [0, 0] + DenseHeads.certain([0, 0, 0, 0], bins: 4), count: 1024 / stride / stride)
        for one in drawn where one.stride == stride {
            rows[one.cell] = one.scores + DenseHeads.certain(one.distances, bins: 4)
        }
        return rows
    }

    private func split(_ drawn: [Drawn]) throws -> [String: Tensor] {
        var tensors: [String: ([Float], [Int])] = [:]
        for stride in [8, 16, 32] {
            let rows = rows(stride, drawn)
            tensors["scores_\(stride)"] = (rows.flatMap { $0[..<2] }, [1, rows.count, 2])
            tensors["boxes_\(stride)"] = (rows.flatMap { $0[2...] }, [1, rows.count, 16])
        }
        return try DenseHeads.outputs(tensors)
    }

    private func joined(_ drawn: [Drawn]) throws -> [String: Tensor] {
        let cells = [8, 16, 32].flatMap { rows($0, drawn) }
        return try DenseHeads.outputs(["detections": (cells.flatMap { $0 }, [1, 21, 18])])
    }

    private static let roles = [8, 16, 32].flatMap { ["scores_\($0)", "boxes_\($0)"] }

    private func decoder(
        _ roles: [String] = Self.roles, _ parameters: [String: CardValue] = [:],
        geometry: ImageGeometry = DenseHeads.letterbox
    ) throws -> NanodetDecoder {
        try NanodetDecoder(card: DenseHeads.card("nanodet", roles, parameters, geometry: geometry))
    }

    @Test func bothLayoutsFindEveryClassOfEveryCell() throws {
        let results = [try decoder().decode(split(drawn)), try decoder(["detections"]).decode(joined(drawn))]
        for found in results {
            #expect(found.map(\.score) == [0.9, 0.7, 0.6, 0.5] && found.map(\.classIndex) == [1, 0, 1, 0])
            // Held inside the input; then twice its pixels, 8 rows up, held inside the picture.
            #expect(found[0].exactBox == Box(x1: 8, y1: 8, x2: 56, y2: 32))
            #expect(found[1].exactBox == Box(x1: 48, y1: 0, x2: 64, y2: 0))
            #expect(found[2].exactBox == Box(x1: 0, y1: 0, x2: 64, y2: 32))
            #expect(found.allSatisfy { $0.mask == nil })
        }
        #expect(results[0] == results[1])
        #expect(try decoder().decode(split(drawn), .init(scoreThreshold: 0.6, topK: 1)).map(\.score) == [0.9])
        #expect(try decoder().decode(split(drawn), .init(scoreThreshold: 0.6)).count == 2, "strictly above")
    }

    @Test func distancesAreExpectations() throws {
        // Weights 1 : 3 of the distances 0 and 1, all alike, 1 : 1 of 0 and 2, and certainly 3.
        let never = -Float.infinity
        let logits: [Float] = [0, 1.0986123, never, never, 7, 7, 7, 7, 0, never, 0, never, never, never, never, 5]
        let outputs = try DenseHeads.outputs([
            "scores_4": ((0..<64).flatMap { [$0 == 36 ? 0.9 : 0, 0] }, [1, 64, 2]),
            "boxes_4": ((0..<64).flatMap { _ in logits }, [1, 64, 16]),
        ])
        let box = try decoder(["scores_4", "boxes_4"], geometry: .stretch(width: 32, height: 32)).decode(
            outputs: outputs, imageWidth: 32, imageHeight: 32)[0].exactBox
        // 0.75, 1.5, 1 and 3 strides of 4 around row 4, column 4: (18, 18).
        #expect(abs(box.x1 - 15) < 1e-5 && abs(box.y1 - 12) < 1e-5)
        #expect(abs(box.x2 - 22) < 1e-5 && abs(box.y2 - 30) < 1e-5)
    }

    @Test func nanodetPlusCountsFromTheCorner() throws {
        let found = try decoder(["detections"], ["center_offset": .number(0)]).decode(joined(Array(drawn.prefix(1))))
        // Centre (8, 16), box (0, 8, 24, 32).
        #expect(found.map(\.exactBox) == [Box(x1: 0, y1: 0, x2: 48, y2: 32)])
    }

    @Test func boxesAreHeldInsideTheInputBeforeTheyAreCompared() throws {
        // From (16, 16) to (32, 32) and to (64, 64): the same box once it is held inside.
        let twins = [
            Drawn(stride: 8, cell: 10, scores: [0.9, 0], distances: [0, 0, 2, 2]),
            Drawn(stride: 16, cell: 3, scores: [0.8, 0], distances: [0, 0, 3, 3]),
        ]
        let outputs = try split(twins)
        #expect(try decoder(Self.roles, ["center_offset": .number(0)]).decode(outputs).map(\.score) == [0.9])
        let all = try decoder(Self.roles, ["center_offset": .number(0), "iou_threshold": .number(1)]).decode(outputs)
        #expect(all.count == 2 && all[0].exactBox == all[1].exactBox)
    }

    @Test func limitsHoldForLevelsAndForAll() throws {
        let outputs = try split(drawn + [Drawn(stride: 8, cell: 0, scores: [0.8, 0.85], distances: [0, 0, 1, 1])])
        let perLevel = try decoder(Self.roles, ["candidates_per_level": .number(1)]).decode(outputs)
        #expect(perLevel.map(\.score) == [0.9, 0.7, 0.6])
        #expect(try decoder(Self.roles, ["max_detections": .number(2)]).decode(outputs).map(\.score) == [0.9, 0.85])
    }

    @Test func valuesThatAreNotNumbersAreNeverSelected() throws {
        var outputs = try split(drawn)
        outputs["scores_32 output"] = try Tensor([.nan, 0.6] as [Float], dims: [1, 1, 2])
        var distances = rows(16, drawn).flatMap { $0[2...] }
        distances[16 + 3] = .nan
        outputs["boxes_16 output"] = try Tensor(distances, dims: [1, 4, 16])
        #expect(try decoder().decode(outputs).map(\.score) == [0.9, 0.6])
        let nothing = try DenseHeads.outputs(["detections": ([Float](repeating: .nan, count: 21 * 18), [1, 21, 18])])
        for nms in NMS.all {
            #expect(try decoder(["detections"]).decode(nothing, .init(scoreThreshold: 0, nms: nms)).isEmpty)
        }
    }

    @Test func everyMisfitIsAnErrorThatNamesTheOutput() throws {
        for (role, dims) in [
            ("scores_8", [1, 15, 2]), ("scores_8", [1, 16, 3]), ("scores_8", [16, 2]), ("boxes_16", [1, 5, 16]),
            ("boxes_16", [1, 4, 15]), ("boxes_16", [1, 4, 0]), ("boxes_32", [1, 1, 1, 16]), ("scores_32", [0, 1, 2]),
        ] {
            var outputs = try split(drawn)
            outputs["\(role) output"] = try Tensor([Float](repeating: 0, count: dims.reduce(1, *)), dims: dims)
            let error = try decoder().refusal(of: outputs)
            #expect(error.code == .input && (dims[0] == 0 || error.place == "output '\(role) output'"), "\(error)")
        }
        for dims in [[1, 20, 18], [1, 21, 2], [1, 21, 1], [1, 21, 19]] {
            let values = [Float](repeating: 0, count: dims.reduce(1, *))
            let error = try decoder(["detections"]).refusal(of: DenseHeads.outputs(["detections": (values, dims)]))
            #expect(error.code == .input && error.place == "output 'detections output'", "\(error)")
        }
        #expect(try decoder().refusal(of: [:]).code == .input)
        #expect(try decoder().refusal(of: split(drawn), batchIndex: 1).code == .input)
    }

    @Test func wrongCardsAreRefused() throws {
        for (key, value) in [
            ("strides", CardValue.list([])), ("strides", .list([.number(0)])), ("center_offset", .number(2)),
            ("iou_threshold", .number(-1)), ("max_detections", .number(0)), ("bins", .number(8)),
        ] {
            let error = try #require(throws: SardonyxError.self) { try decoder(["detections"], [key: value]) }
            #expect(error.code == .parse && error.place == "model card 'nanodet.\(key)'", "\(error)")
        }
        for roles in [["scores_8"], ["boxes_8"], ["detections", "scores_8"], []] {
            #expect(throws: SardonyxError.self) { try decoder(roles) }
        }
        #expect(throws: SardonyxError.self) {
            try decoder(["detections"], geometry: .centerCrop(width: 8, height: 8, shortSide: 9))
        }
    }

    @Test func exportsAreRecognised() throws {
        // 64 × 64 pixels: 64, 16, 4 and 1 cells.
        let sizes = [(8, 64), (16, 16), (32, 4)]
        let turns = sizes.flatMap { [floats("c\($0)", [1, $1, 80]), floats("d\($0)", [1, $1, 32])] }
        let halves = sizes.map { floats("c\($0)", [1, $1, 80]) } + sizes.map { floats("d\($0)", [1, $1, 44]) }
        for outputs in [turns, halves] {
            let card = try best(graph(outputs: outputs)).card
            #expect(
                card.decoder == "nanodet" && card.outputs["scores_16"] == "c16" && card.outputs["boxes_32"] == "d32")
            #expect(card.input.geometry == .letterbox(.init(width: 64, height: 64)) && card.input.padding == 0)
            #expect(card.parameters["center_offset"] == .number(0.5) && card.labels.last == "toothbrush")
        }
        let plus = try best(graph(outputs: [floats("output", [1, 85, 112])])).card
        #expect(plus.decoder == "nanodet" && plus.labels.count == 80 && plus.input.channels == .bgr)
        #expect(
            plus.input.geometry == .stretch(width: 64, height: 64) && plus.parameters["center_offset"] == .number(0))
        for (values, labels) in [(112, 80), (124, 80), (37, 5)] {
            let old = try best(graph(name: "data", outputs: [floats("output", [1, 84, values])])).card
            #expect(old.decoder == "nanodet" && old.labels.count == labels)
            #expect(old.parameters["strides"] == .list([8, 16, 32].map { .number($0) }))
        }
        for outputs in [[floats("y", [1, 84, 112])], Array(turns.dropLast()), [floats("output", [1, 85, 1 << 40])]] {
            #expect(NanodetDecoder.recognize(graph(outputs: outputs)) == nil)
        }
    }
}
