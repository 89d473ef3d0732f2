import TensorCore
import Testing

@testable import Detection

/// Graphs that decide by themselves: drawn outputs, masks computed by hand or in double precision.
@Suite struct InstancesDecoderTests {
    private func decoder(
        _ roles: [String], geometry: ImageGeometry = .original, parameters: [String: CardValue] = [:],
        score: Float = 0.3
    ) throws -> InstancesDecoder {
        try InstancesDecoder(
            card: ModelCard(
                name: "test", decoder: "instances", input: .init(geometry: geometry),
                outputs: Dictionary(uniqueKeysWithValues: roles.map { ($0, $0) }), parameters: parameters,
                thresholds: .init(score: score), labels: ["cat", "dog"]))
    }

    private func outputs(
        boxes: [Float], scores: [Float], labels: [Int64], masks: (values: [Float], dims: [Int])? = nil
    ) throws -> [String: Tensor] {
        var outputs = [
            "boxes": try Tensor(boxes, dims: [scores.count, 4]), "scores": try Tensor(scores, dims: [scores.count]),
            "labels": try Tensor(labels, dims: [labels.count]),
        ]
        if let masks { outputs["masks"] = try Tensor(masks.values, dims: masks.dims) }
        return outputs
    }

    @Test func theGraphsInstancesComeBestFirst() throws {
        let found = try decoder(["boxes", "scores", "labels"], parameters: ["first_label": .number(1)]).decode(
            outputs: outputs(
                boxes: [1, 2, 5, 6, 0, 0, 50, 5, 3, 3, 4, 4, 2, 2, 3, 3, .nan, 0, 1, 1, 0, 0, 9, 9],
                scores: [0.5, 0.9, 0.8, .nan, 0.7, 0.3], labels: [1, 2, 0, 1, 1, 1]),
            imageWidth: 20, imageHeight: 10)
        // Label 0 is background; NaN scores and boxes and a score at the threshold are left out.
        #expect(found.map(\.label) == ["dog", "cat"] && found.map(\.score) == [0.9, 0.5])
        #expect(found[0].exactBox == Box(x1: 0, y1: 0, x2: 20, y2: 5))
        #expect(found[1].box == Box(x1: 1, y1: 2, x2: 5, y2: 6) && found[1].mask == nil)
    }

    @Test func mergedDetectionsOfABatchReturnFromALetterbox() throws {
        let dets = try Tensor(
            [0, 0, 1, 1, 0.1, 0, 0, 2, 2, 0.2, 10, 40, 30, 60, 0.6, 0, 0, 100, 100, 0.9] as [Float], dims: [2, 2, 5])
        let labels: [Tensor] = [
            try Tensor([0, 0, 1, 0] as [Int64], dims: [2, 2]), try Tensor([0, 0, 1, 0] as [Int32], dims: [2, 2]),
            try Tensor([0, 0, 1, 0] as [Float], dims: [2, 2]),
        ]
        for labels in labels {
            // 200 × 100 in 100 × 100: halved, 25 rows above.
            let found = try decoder(["dets", "labels"], geometry: .letterbox(.init(width: 100, height: 100))).decode(
                outputs: ["dets": dets, "labels": labels], batchIndex: 1, imageWidth: 200, imageHeight: 100)
            #expect(found.map(\.label) == ["cat", "dog"])
            #expect(found[0].exactBox == Box(x1: 0, y1: 0, x2: 200, y2: 100))
            #expect(found[1].exactBox == Box(x1: 20, y1: 30, x2: 60, y2: 70))
        }
    }

    @Test func coordinatesAreWhatTheCardSays() throws {
        let relative = try decoder(
            ["boxes", "scores", "labels"], geometry: .stretch(width: 64, height: 64),
            parameters: ["coordinates": .text("relative"), "corners": .text("cxcywh")]
        ).decode(
            outputs: outputs(boxes: [0.5, 0.5, 0.5, 0.25], scores: [1], labels: [0]), imageWidth: 40, imageHeight: 80)
        #expect(relative[0].exactBox == Box(x1: 10, y1: 30, x2: 30, y2: 50))
        let picture = try decoder(
            ["boxes", "scores", "labels"], geometry: .stretch(width: 64, height: 64),
            parameters: ["coordinates": .text("picture")]
        ).decode(outputs: outputs(boxes: [-3, 5, 70, 90], scores: [1], labels: [0]), imageWidth: 40, imageHeight: 80)
        #expect(picture[0].exactBox == Box(x1: 0, y1: 5, x2: 40, y2: 80))
    }

    @Test func mapsOverTheInputAreSampledAtThePicturesPixels() throws {
        // A 2 × 2 map at 4 × 4: weights 0, 1/4, 3/4, 1; above 1/2 are 1, 3/4, 3/4 and 9/16.
        let corner: [Float] = [1, 0, 0, 0]
        for dims in [[1, 1, 2, 2], [1, 2, 2]] {
            let found = try decoder(["boxes", "scores", "labels", "masks"]).decode(
                outputs: outputs(boxes: [0, 0, 1, 1], scores: [1], labels: [0], masks: (corner, dims)), imageWidth: 4,
                imageHeight: 4)
            #expect(found[0].mask?.bounds == Box(x1: 0, y1: 0, x2: 2, y2: 2) && area(found[0]) == 4)
        }
        // The map of a letterboxed picture: rows 1 and 2 of 4 are the picture's.
        let letterboxed = try decoder(
            ["boxes", "scores", "labels", "masks"], geometry: .letterbox(.init(width: 4, height: 4))
        ).decode(
            outputs: outputs(
                boxes: [0, 0, 1, 1], scores: [1], labels: [0],
                masks: ([1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1], [1, 1, 4, 4])), imageWidth: 4, imageHeight: 2)
        // Column-major: (0, 0) set, (1, 1) set, (3, 1) set.
        #expect(letterboxed[0].mask?.counts == [0, 1, 2, 1, 3, 1])
        // Maps of zeros and ones, as booleans.
        var flags = try outputs(boxes: [0, 0, 1, 1], scores: [1], labels: [0])
        flags["masks"] = try Tensor([false, true, true, false, false, false], dims: [1, 2, 3])
        let flagged = try decoder(["boxes", "scores", "labels", "masks"]).decode(
            outputs: flags, imageWidth: 3, imageHeight: 2)
        #expect(flagged[0].mask?.counts == [2, 1, 1, 1, 1])
    }

    @Test func wideMapsKeepTheirColumnsApart() throws {
        // 37 columns in blocks of 16: a diagonal stays one.
        let side = 37
        var values = [Float](repeating: 0, count: side * side)
        for index in 0..<side { values[index * side + index] = 1 }
        let found = try decoder(["boxes", "scores", "labels", "masks"]).decode(
            outputs: outputs(boxes: [0, 0, 1, 1], scores: [1], labels: [0], masks: (values, [1, 1, side, side])),
            imageWidth: side, imageHeight: side)
        let bitmap = try #require(found[0].bitmap())
        #expect((0..<side).allSatisfy { x in (0..<side).allSatisfy { y in bitmap[x: x, y: y] == (x == y) } })
    }

    @Test(arguments: [
        Box<Float>(x1: 4, y1: 4, x2: 6, y2: 6), Box(x1: 0, y1: 0, x2: 20, y2: 15),
        Box(x1: 3.3, y1: 2.7, x2: 19.9, y2: 8.2),
        Box(x1: 7, y1: 9, x2: 7, y2: 9), Box(x1: 0, y1: 14.9, x2: 20, y2: 15), Box(x1: 0.4, y1: 0, x2: 0.6, y2: 15),
    ]) func patchesArePastedAsTorchvisionDoes(_ box: Box<Float>) throws {
        for side in [1, 3, 14] {
            let patch = (0..<side * side).map { Float(($0 * 7 + 3) % 11) / 10 }
            let found = try decoder(["boxes", "scores", "labels", "masks"], parameters: ["masks": .text("box")]).decode(
                outputs: outputs(
                    boxes: [box.x1, box.y1, box.x2, box.y2], scores: [1], labels: [0],
                    masks: (patch, [1, 1, side, side])), imageWidth: 20, imageHeight: 15)
            let bitmap = try #require(found[0].bitmap())
            for y in 0..<15 {
                for x in 0..<20 {
                    let value = pasted(patch.map(Double.init), side, box, x, y)
                    guard abs(value - 0.5) > 1e-5 else { continue }
                    #expect(bitmap[x: x, y: y] == (value > 0.5), "\(x), \(y) of \(side)")
                }
            }
        }
    }

    /// One pixel in double precision after the description of `paste_masks_in_image`; the corners in single precision.
    private func pasted(_ patch: [Double], _ side: Int, _ box: Box<Float>, _ x: Int, _ y: Int) -> Double {
        let scale = Float(side + 2) / Float(side)
        func place(_ low: Float, _ high: Float, _ pixel: Int) -> Double? {
            let (half, middle) = ((high - low) * 0.5 * scale, (high + low) * 0.5)
            let (first, last) = (Int(middle - half), Int(middle + half))
            guard pixel >= first, pixel <= last else { return nil }
            return max((Double(pixel - first) + 0.5) * Double(side + 2) / Double(last - first + 1) - 0.5, 0)
        }
        guard let u = place(box.x1, box.x2, x), let v = place(box.y1, box.y2, y) else { return 0 }
        func padded(_ column: Int, _ row: Int) -> Double {
            (1...side).contains(column) && (1...side).contains(row) ? patch[(row - 1) * side + column - 1] : 0
        }
        let (column, row) = (min(Int(u), side + 1), min(Int(v), side + 1))
        let (a, b) = (u - Double(column), v - Double(row))
        return (padded(column, row) * (1 - a) + padded(column + 1, row) * a) * (1 - b)
            + (padded(column, row + 1) * (1 - a) + padded(column + 1, row + 1) * a) * b
    }

    @Test func patchesMayBeLogits() throws {
        let found = try decoder(
            ["boxes", "scores", "labels", "masks"],
            parameters: ["masks": .text("box"), "mask_activation": .text("sigmoid")]
        ).decode(
            outputs: outputs(boxes: [4, 4, 6, 6], scores: [1], labels: [0], masks: ([20], [1, 1, 1])), imageWidth: 12,
            imageHeight: 12)
        // 3 × 3 with its border at 7 × 7 from (2, 2): beside the middle 4/7, beside the corner 16/49.
        #expect(area(found[0]) == 5 && found[0].mask?.bounds == Box(x1: 4, y1: 4, x2: 7, y2: 7))
    }

    @Test func nothingFoundIsNoFault() throws {
        let none = try decoder(["boxes", "scores", "labels", "masks"]).decode(
            outputs: outputs(boxes: [], scores: [], labels: [], masks: ([], [0, 1, 8, 8])), imageWidth: 8,
            imageHeight: 8)
        #expect(none.isEmpty)
    }

    @Test func everyMisfitIsAnInputErrorThatNamesTheOutput() throws {
        func refused(_ name: String, _ tensor: Tensor?, batchIndex: Int = 0) throws {
            var outputs = try outputs(
                boxes: [0, 0, 1, 1, 0, 0, 2, 2], scores: [1, 1], labels: [0, 1],
                masks: ([Float](repeating: 1, count: 8), [2, 1, 2, 2]))
            outputs[name] = tensor
            let error = try #require(throws: SardonyxError.self) {
                try decoder(["boxes", "scores", "labels", "masks"]).decode(
                    outputs: outputs, batchIndex: batchIndex, imageWidth: 4, imageHeight: 4)
            }
            #expect(error.code == .input && (batchIndex != 0 || error.place == "output '\(name)'"), "\(error)")
        }
        func zeros(_ dims: [Int]) throws -> Tensor {
            try Tensor([Float](repeating: 0, count: dims.reduce(1, *)), dims: dims)
        }
        for (name, dims) in [
            ("boxes", [2, 5]), ("boxes", [8]), ("boxes", [1, 1, 2, 4]), ("scores", [3]), ("scores", [2, 1, 1]),
            ("labels", [3]), ("masks", [3, 1, 2, 2]), ("masks", [2, 2]), ("masks", []), ("masks", [2, 1, 0, 2]),
        ] { try refused(name, zeros(dims)) }
        for name in ["boxes", "scores", "labels", "masks"] { try refused(name, nil) }
        try refused("labels", Tensor([0, 2] as [Int64], dims: [2]))
        try refused("labels", Tensor([0.5, 1] as [Float], dims: [2]))
        try refused("labels", Tensor([.nan, 1] as [Float], dims: [2]))
        try refused("labels", Tensor([0, 1] as [Double], dims: [2]))
        try refused("labels", Tensor([Int64.max, 1], dims: [2]))
        try refused("boxes", zeros([2, 4]), batchIndex: 1)
    }

    @Test func wrongCardsAreRefused() throws {
        for (key, value) in [
            ("coordinates", CardValue.text("pixels")), ("corners", .number(1)), ("first_label", .number(-1)),
            ("first_label", .number(1e18)), ("masks", .text("prototypes")), ("mask_threshold", .number(2)),
            ("nms", .number(1)),
        ] {
            let error = try #require(throws: SardonyxError.self) {
                _ = try decoder(["dets", "labels"], parameters: [key: value])
            }
            #expect(error.code == .parse && error.place == "model card 'instances.\(key)'")
        }
        for roles in [["boxes", "labels"], ["dets"], ["dets", "labels", "boxes"]] {
            #expect(throws: SardonyxError.self) { try decoder(roles) }
        }
        #expect(throws: SardonyxError.self) {
            try decoder(["dets", "labels"], geometry: .centerCrop(width: 8, height: 8, shortSide: 9))
        }
        let error = try #require(throws: SardonyxError.self) {
            try decoder(["boxes", "scores", "labels"]).decode(
                outputs: outputs(boxes: [], scores: [], labels: []), imageWidth: 8, imageHeight: 8,
                options: DetectionOptions(nms: .greedy))
        }
        #expect(error.code == .usage)
    }
}
