import TensorCore
import Testing

@testable import Detection

/// Small drawn heads: degenerate values, missing and misshapen outputs.
@Suite struct YolactDecoderTests {
    /// Three priors, two classes, one prototype on a 4×4 grid.
    private func heads(
        loc: [Float] = [Float](repeating: 0, count: 12),
        conf: [Float] = [0.1, 0.9, 0.0, 0.2, 0.1, 0.7, 0.9, 0.05, 0.05]
    ) throws -> [String: Tensor] {
        [
            "loc": try Tensor(loc, dims: [1, 3, 4]),
            "conf": try Tensor(conf, dims: [1, 3, 3]),
            "mask": try Tensor([1, -1, 1] as [Float], dims: [1, 3, 1]),
            "priors": try Tensor(
                [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1] as [Float], dims: [3, 4]),
            "proto": try Tensor([Float](repeating: 4, count: 16), dims: [1, 4, 4, 1]),
        ]
    }

    private func decode(
        _ outputs: [String: Tensor], batchIndex: Int = 0, options: DetectionOptions = .init(), width: Int = 40,
        height: Int = 20
    ) throws -> Instances {
        try YolactDecoder(card: YolactPostprocessTests.card(side: 100, classes: 2)).decode(
            outputs: outputs, batchIndex: batchIndex, imageWidth: width, imageHeight: height, options: options)
    }

    @Test func drawnHeadsGiveTheExpectedInstances() throws {
        let found = try decode(heads(), options: DetectionOptions(scoreThreshold: 0.3))
        #expect(found.map(\.classIndex) == [0, 1])
        #expect(found.map(\.score) == [0.9, 0.7])
        #expect(found[0].box == Box(x1: 10, y1: 5, x2: 30, y2: 15))
        // The padded box is prototypes 0 to 3 whole; sigmoid(4) = 0.98 everywhere.
        #expect(area(found[0]) == 40 * 20 && area(found[1]) == 0)
        #expect(found[0].label == "class 0" && found[1].categoryID == 2)
    }

    @Test func cutMasksEndInsideTheBlurOfTheCut() throws {
        var outputs = try heads()
        outputs["priors"] = try Tensor([0.375, 0.375, 0.02, 0.02] + [Float](repeating: 0.1, count: 8), dims: [3, 4])
        let found = try decode(outputs, options: DetectionOptions(scoreThreshold: 0.8), width: 40, height: 40)
        // Columns and rows 1 and 2 of 4 stay; towards the cut the value is 0.982 times the distance from it: above 0.5
        // from 0.509 prototype pixels on, so from (0.509 + 0.5) · 10 picture pixels on.
        let bounds = try #require(found.first?.mask?.bounds)
        #expect(bounds == Box(x1: 10, y1: 10, x2: 30, y2: 30))
    }

    @Test func valuesThatAreNotNumbersAreNeverSelected() throws {
        let nan = Float.nan
        var found = try decode(heads(conf: [nan, nan, nan, 0.2, nan, 0.7, nan, nan, 0.6]))
        #expect(found.map(\.score) == [0.7, 0.6])
        found = try decode(
            heads(loc: [nan, 0, 0, 0] + [Float](repeating: 0, count: 8)), options: .init(scoreThreshold: 0.3))
        #expect(found.map(\.score) == [0.7])
        for nms in NMS.all {
            let none = try decode(heads(conf: [Float](repeating: nan, count: 9)), options: DetectionOptions(nms: nms))
            #expect(none.isEmpty)
        }
    }

    @Test(arguments: [Float.infinity, -Float.infinity, 1e30, -1e30, 1e38, 88, 600]) func hugeBoxesStayInside(
        _ value: Float
    ) throws {
        for position in 0..<4 {
            var loc = [Float](repeating: 0, count: 12)
            loc[position] = value
            for nms in NMS.all {
                for instance in try decode(heads(loc: loc), options: DetectionOptions(nms: nms)) {
                    #expect((0...40).contains(instance.box.x1) && (0...40).contains(instance.box.x2))
                    #expect((0...20).contains(instance.box.y1) && (0...20).contains(instance.box.y2))
                    #expect(instance.box.x1 <= instance.box.x2 && instance.box.y1 <= instance.box.y2)
                }
            }
        }
    }

    @Test(arguments: [(1, 1), (1, 300), (300, 1), (3, 2), (2000, 3)]) func picturesOfAnyShapeWork(
        _ width: Int, _ height: Int
    ) throws {
        let found = try decode(heads(), options: DetectionOptions(scoreThreshold: 0.8), width: width, height: height)
        #expect(area(found[0]) == width * height && found[0].mask?.counts == [0, UInt32(width * height)])
    }

    @Test func everyMisfitIsAnInputErrorThatNamesTheOutput() throws {
        for (name, wrong) in [
            ("loc", [1, 3, 5]), ("loc", [1, 12]), ("conf", [1, 3, 4]), ("conf", [1, 2, 3]), ("mask", [1, 3, 2]),
            ("mask", [2, 3, 1]), ("priors", [2, 4]), ("priors", [1, 3, 4]), ("proto", [1, 4, 4, 2]),
            ("proto", [1, 0, 4, 1]),
            ("proto", [4, 4, 1]),
        ] {
            var outputs = try heads()
            let shape = try Shape(wrong)
            outputs[name] = try Tensor([Float](repeating: 0, count: shape.elementCount), dims: wrong)
            let error = try #require(throws: SardonyxError.self) { try self.decode(outputs) }
            #expect(error.code == .input, "\(error)")
        }
        for name in ["loc", "conf", "mask", "priors", "proto"] {
            var outputs = try heads()
            outputs[name] = nil
            let error = try #require(throws: SardonyxError.self) { try self.decode(outputs) }
            #expect(error.code == .input && error.place == "output '\(name)'")
            outputs[name] = try Tensor([0] as [Double], dims: [1])
            #expect(throws: SardonyxError.self) { try self.decode(outputs) }
        }
        for index in [-1, 1, Int.max, Int.min] {
            #expect(throws: SardonyxError.self) { try self.decode(self.heads(), batchIndex: index) }
        }
        for (width, height) in [(0, 5), (-1, 5), (Int.max, Int.max)] {
            #expect(throws: SardonyxError.self) { try self.decode(self.heads(), width: width, height: height) }
        }
        for options in [
            DetectionOptions(scoreThreshold: .nan), DetectionOptions(scoreThreshold: 2), DetectionOptions(topK: 0),
            DetectionOptions(maskThreshold: -1),
        ] {
            let error = try #require(throws: SardonyxError.self) { try self.decode(self.heads(), options: options) }
            #expect(error.code == .usage)
        }
    }

    @Test func noPriorsGiveNothing() throws {
        let none: [Float] = []
        let found = try decode([
            "loc": Tensor(none, dims: [1, 0, 4]), "conf": Tensor(none, dims: [1, 0, 3]),
            "mask": Tensor(none, dims: [1, 0, 1]), "priors": Tensor(none, dims: [0, 4]),
            "proto": Tensor([1] as [Float], dims: [1, 1, 1, 1]),
        ])
        #expect(found.isEmpty && found.cocoResults(imageID: 1).isEmpty)
    }

    @Test func batchMembersAreDecodedApart() throws {
        var outputs = try heads()
        for (name, tensor) in outputs where name != "priors" {
            let values = try tensor.array(of: Float.self)
            let second = name == "conf" ? [0.5, 0.2, 0.3, 0.1, 0.8, 0.1, 1, 0, 0] : values
            outputs[name] = try Tensor(values + second, dims: [2] + tensor.shape.dims.dropFirst())
        }
        #expect(try decode(outputs, batchIndex: 0, options: .init(scoreThreshold: 0.25)).map(\.score) == [0.9, 0.7])
        #expect(try decode(outputs, batchIndex: 1, options: .init(scoreThreshold: 0.25)).map(\.score) == [0.8, 0.3])
    }
}
