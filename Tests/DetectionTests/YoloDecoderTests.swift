import TensorCore
import Testing

@testable import Detection

/// Drawn heads of every layout.
@Suite struct YoloDecoderTests {
    /// Centre x, y, width, height, scores of two classes: the third is like the first and its classes are equal.
    private let anchors: [[Float]] = [
        [16, 16, 8, 4, 0.9, 0.1], [8, 12, 4, 4, 0.2, 0.7], [16, 16, 8, 4, 0.6, 0.6], [16, 16, 8, 4, 0.1, 0.3],
    ]

    private func decoder(
        _ layout: String, _ roles: [String] = ["detections"], _ parameters: [String: CardValue] = [:]
    ) throws -> YoloDecoder {
        try YoloDecoder(
            card: DenseHeads.card("yolo", roles, ["layout": .text(layout)].merging(parameters) { $1 }))
    }

    private func expectFirstTwo(_ found: Instances) {
        #expect(found.map(\.classIndex) == [0, 1] && found.map(\.score) == [0.9, 0.7])
        // Twice the input's pixels, 8 rows up.
        #expect(found.map(\.exactBox) == [Box(x1: 24, y1: 12, x2: 40, y2: 20), Box(x1: 12, y1: 4, x2: 20, y2: 12)])
        #expect(found.allSatisfy { $0.mask == nil })
    }

    @Test func planesOfV8() throws {
        let outputs = try DenseHeads.outputs(["detections": (DenseHeads.transposed(anchors), [1, 6, 4])])
        let decoder = try decoder("v8")
        try expectFirstTwo(decoder.decode(outputs))
        #expect(try decoder.decode(outputs, .init(topK: 1)).count == 1)
        #expect(try decoder.decode(outputs, .init(scoreThreshold: 0.7)).count == 1, "strictly above")
        // Of equal classes the first counts; nothing is suppressed at an IoU of at most 1.
        let all = try self.decoder("v8", parameters: ["iou_threshold": .number(1)]).decode(outputs)
        #expect(all.map(\.classIndex) == [0, 1, 0])
    }

    @Test func rowsOfV5() throws {
        // Objectness times class.
        let rows = anchors.map { Array($0[0..<4]) + [0.5] + $0[4...].map { $0 } }
        let outputs = try DenseHeads.outputs(["detections": (rows.flatMap { $0 }, [1, 4, 7])])
        let found = try decoder("v5").decode(outputs)
        #expect(found.map(\.classIndex) == [0, 1] && found.map(\.score) == [0.45, 0.35])
        #expect(found[0].exactBox == Box(x1: 24, y1: 12, x2: 40, y2: 20))
    }

    @Test func decidedRows() throws {
        let rows: [Float] = [
            8, 12, 16, 20, 0.5, 1, 4, 10, 12, 14, 0.8, 0, 8, 12, 16, 20, 0.4, 1, 0, 0, 0, 0, 0, -1,
        ]
        let outputs = try DenseHeads.outputs(["detections": (rows, [1, 4, 6])])
        let decoder = try decoder("end2end")
        let found = try decoder.decode(outputs)
        // Sorted, and not suppressed.
        #expect(found.map(\.score) == [0.8, 0.5, 0.4] && found.map(\.classIndex) == [0, 1, 1])
        #expect(found[1].exactBox == Box(x1: 16, y1: 8, x2: 32, y2: 24))
        #expect(try decoder.decode(outputs, .init(nms: .greedy)).map(\.score) == [0.8, 0.5])
        for wrong: Float in [2, -1, 1e30, .infinity] {
            var values = rows
            values[5] = wrong
            let outputs = try DenseHeads.outputs(["detections": (values, [1, 4, 6])])
            let error = try #require(throws: SardonyxError.self) { try decoder.decode(outputs) }
            #expect(error.code == .input && "\(error)".contains("2 labels"))
        }
    }

    /// Logits of distances, then of two classes.
    private func certain(_ distances: [Int], bins: Int, _ classes: [Float]) -> [Float] {
        DenseHeads.certain(distances, bins: bins) + classes
    }

    @Test func rawHeadsOfV8() throws {
        var cells = [[Float]](repeating: certain([0, 0, 0, 0], bins: 4, [-20, -20]), count: 20)
        cells[9] = certain([1, 1, 2, 2], bins: 4, [-3, 2])  // Row 2, column 1 of stride 8: centre (12, 20).
        cells[16 + 1] = certain([0, 1, 1, 0], bins: 4, [1, -20])  // Row 0, column 1 of stride 16: centre (24, 8).
        let (fine, coarse) = (Array(cells[0..<16]), Array(cells[16...]))
        let outputs = try DenseHeads.outputs([
            "head_8": (DenseHeads.transposed(fine), [1, 18, 4, 4]),
            "head_16": (DenseHeads.transposed(coarse), [1, 18, 2, 2]),
        ])
        let found = try decoder("v8-raw", ["head_16", "head_8"]).decode(outputs)
        #expect(found.map(\.classIndex) == [1, 0])
        // 1 / (1 + e⁻²) and 1 / (1 + e⁻¹).
        #expect(abs(found[0].score - 0.880797) < 1e-6 && abs(found[1].score - 0.731059) < 1e-6)
        // Input boxes (4, 12, 28, 36) and (24, -8, 40, 8), held inside.
        #expect(found[0].exactBox == Box(x1: 8, y1: 8, x2: 56, y2: 32))
        #expect(found[1].exactBox == Box(x1: 48, y1: 0, x2: 64, y2: 0))
    }

    @Test func rawHeadsOfV5() throws {
        // Two anchors, 1 × 1 cell of stride 32; σ(0) = 0.5: centre = (1 - 0.5 + 0) 32, size = the anchor's.
        let quiet: [Float] = [0, 0, 0, 0, -20, 0, 0]
        let loud: [Float] = [0, 0, 0, 0, 3, -1, 2]
        let outputs = try DenseHeads.outputs(["head_32": (quiet + loud, [1, 2, 1, 1, 7])])
        let sizes = CardValue.list([.list([10, 13, 16, 8].map { .number($0) })])
        let found = try decoder("v5-raw", ["head_32"], ["anchors": sizes]).decode(outputs)
        // 1 / (1 + e⁻³) / (1 + e⁻²) = 0.952574 · 0.880797.
        #expect(found.count == 1 && found[0].classIndex == 1 && abs(found[0].score - 0.839025) < 1e-6)
        // (8, 12, 24, 20) in the input.
        #expect(found[0].exactBox == Box(x1: 16, y1: 8, x2: 48, y2: 24))
        #expect(throws: SardonyxError.self) { try self.decoder("v5-raw", ["head_32"]) }
        #expect(throws: SardonyxError.self) { try self.decoder("v5-raw", ["head_32", "head_8"], ["anchors": sizes]) }
        #expect(throws: SardonyxError.self) { try self.decoder("v5", ["detections"], ["anchors": sizes]) }
    }

    /// The first prototype is 1 on the left half and -1 on the right, the second 1 everywhere.
    private var prototypes: [Float] {
        (0..<8).flatMap { _ in (0..<8).map { $0 < 4 ? 1 : -1 } } + [Float](repeating: 1, count: 64)
    }

    @Test func masksAreCutAtTheirBoxes() throws {
        let layouts: [(String, [Float], [Int])] = [
            ("v8", [16, 16, 8, 4, 0.9, 0.1, 1, 0], [1, 8, 1]),
            ("v5", [16, 16, 8, 4, 0.9, 1, 0.1, 1, 0], [1, 1, 9]),
            ("end2end", [12, 14, 20, 18, 0.9, 0, 1, 0], [1, 1, 8]),
        ]
        for (layout, values, dims) in layouts {
            let outputs = try DenseHeads.outputs(["detections": (values, dims), "proto": (prototypes, [1, 2, 8, 8])])
            let decoder = try decoder(layout, ["detections", "proto"])
            // The sign turns in the picture's middle, column 32; the box is columns 24 to 40, rows 12 to 20.
            let mask = try #require(try decoder.decode(outputs)[0].mask)
            #expect(mask.area == 8 * 8 && mask.bounds == Box(x1: 24, y1: 12, x2: 32, y2: 20), "\(layout)")
            #expect(area(try decoder.decode(outputs, .init(cropsMasks: false))[0]) == 32 * 32)
            #expect(area(try decoder.decode(outputs, .init(maskThreshold: 1))[0]) == 0)
            // σ(1) = 0.731: halfway there the value is 0, at column 28.5 it is 0.875.
            #expect(area(try decoder.decode(outputs, .init(maskThreshold: 0.73))[0]) == 4 * 8)
        }
    }

    @Test func coefficientsOfRawHeads() throws {
        let outputs = try DenseHeads.outputs([
            "head_32": (certain([0, 0, 1, 1], bins: 2, [2, -9]), [1, 10, 1, 1]),
            "coefficients": ([0, -1], [1, 2, 1]), "proto": (prototypes, [1, 2, 8, 8]),
        ])
        let decoder = try decoder("v8-raw", ["head_32", "coefficients", "proto"])
        #expect(area(try decoder.decode(outputs)[0]) == 0)
        #expect(throws: SardonyxError.self) { try self.decoder("v8-raw", ["head_32", "proto"]) }
    }

    @Test func valuesThatAreNotNumbersAreNeverSelected() throws {
        var rows = anchors
        (rows[0][4], rows[1][0], rows[2][5]) = (.nan, .nan, .nan)
        let outputs = try DenseHeads.outputs(["detections": (DenseHeads.transposed(rows), [1, 6, 4])])
        #expect(try decoder("v8").decode(outputs).map(\.score) == [0.6])
        let nothing = [Float](repeating: .nan, count: 4 * 18 * 16)
        for (layout, dims) in [("v8", [1, 6, 9]), ("v5", [1, 9, 7]), ("end2end", [1, 9, 6])] {
            let count = dims.reduce(1, *)
            let outputs = try DenseHeads.outputs(["detections": (Array(nothing.prefix(count)), dims)])
            for nms in NMS.all {
                #expect(try decoder(layout).decode(outputs, .init(scoreThreshold: 0, nms: nms)).isEmpty)
            }
        }
        let raw = try DenseHeads.outputs(["head_8": (Array(nothing.prefix(18 * 16)), [1, 18, 4, 4])])
        #expect(try decoder("v8-raw", ["head_8"]).decode(raw, .init(scoreThreshold: 0)).isEmpty)
    }

    @Test(arguments: [Float.infinity, -Float.infinity, 1e30, -1e30, 3e38]) func hugeBoxesStayInside(_ value: Float)
        throws
    {
        for position in 0..<4 {
            var rows = anchors
            for index in rows.indices { rows[index][position] = value }
            let outputs = try DenseHeads.outputs([
                "detections": (DenseHeads.transposed(rows.map { $0 + [1, 1] }), [1, 8, 4]),
                "proto": (prototypes, [1, 2, 8, 8]),
            ])
            for nms in NMS.all {
                for found in try decoder("v8", ["detections", "proto"]).decode(outputs, .init(nms: nms)) {
                    let box = found.exactBox
                    #expect(0 <= box.x1 && box.x1 <= box.x2 && box.x2 <= 64)
                    #expect(0 <= box.y1 && box.y1 <= box.y2 && box.y2 <= 32)
                }
            }
        }
    }

    @Test func everyMisfitIsAnErrorThatNamesIt() throws {
        for (layout, dims) in [("v8", [1, 7, 4]), ("v8", [6, 4]), ("v5", [1, 4, 6]), ("end2end", [1, 4, 7])] {
            let values = [Float](repeating: 0, count: dims.reduce(1, *))
            let decoder = try decoder(layout)
            let error = try #require(throws: SardonyxError.self) {
                try decoder.decode(DenseHeads.outputs(["detections": (values, dims)]))
            }
            #expect(error.code == .input && error.place == "output 'detections output'", "\(error)")
        }
        let decoder = try decoder("v8")
        let outputs = try DenseHeads.outputs(["detections": (DenseHeads.transposed(anchors), [1, 6, 4])])
        #expect(throws: SardonyxError.self) { try decoder.decode([:]) }
        for index in [-1, 1, .max] {
            #expect(throws: SardonyxError.self) { try decoder.decode(outputs, batchIndex: index) }
        }
        #expect(throws: SardonyxError.self) { try decoder.decode(outputs, .init(scoreThreshold: .nan)) }
        for (dims, roles) in [([1, 18, 4, 3], ["head_8"]), ([1, 3, 4, 4], ["head_8"]), ([1, 1, 4, 4], ["head_8"])] {
            let values = [Float](repeating: 0, count: dims.reduce(1, *))
            let raw = try self.decoder("v8-raw", roles)
            let error = try #require(throws: SardonyxError.self) {
                try raw.decode(DenseHeads.outputs(["head_8": (values, dims)]))
            }
            #expect(error.code == .input)
        }
        for (layout, roles) in [("v9", ["detections"]), ("v8", ["head_8"]), ("v8-raw", ["detections"])] {
            let error = try #require(throws: SardonyxError.self) { try self.decoder(layout, roles) }
            #expect(error.code == .parse)
        }
    }

    @Test func batchMembersAreDecodedApartWhateverTheThreads() throws {
        let anchors = 5000
        var values = [Float](repeating: 0.01, count: 2 * 6 * anchors)
        for index in 0..<anchors where index % 97 == 0 {
            values[6 * anchors + index] = Float(index % 32)
            values[7 * anchors + index] = Float(index / 97 % 32)
            values[8 * anchors + index] = 2
            values[9 * anchors + index] = 2
            values[(index % 2 == 0 ? 10 : 11) * anchors + index] = 0.4 + Float(index) / 10000
        }
        let outputs = try DenseHeads.outputs(["detections": (values, [2, 6, anchors])])
        let decoder = try decoder("v8")
        #expect(try decoder.decode(outputs).isEmpty)
        let results = try [1, 2, 5].map { try decoder.decode(outputs, batchIndex: 1, threads: $0) }
        #expect(results[0] == results[1] && results[0] == results[2] && results[0].count > 20)
    }
}

extension YoloDecoderTests {
    fileprivate func decoder(_ layout: String, parameters: [String: CardValue]) throws -> YoloDecoder {
        try decoder(layout, ["detections"], parameters)
    }
}
