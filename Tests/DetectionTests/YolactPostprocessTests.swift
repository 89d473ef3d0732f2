import NumpyIO
import TensorCore
import Testing

@testable import Detection

/// The reference's own results for saved heads of two configurations, every algorithm.
@Suite struct YolactPostprocessTests {
    struct Reference {
        let tensors: [String: Tensor]
        let card: ModelCard
        let imageWidth: Int
        let imageHeight: Int
        let scoreThreshold: Float

        init(_ name: String) throws {
            tensors = try Npz.read(TestData.shared("yolact/postprocess/\(name).npz"))
            let side = name.contains("im400") ? 400 : 550
            card = try YolactPostprocessTests.card(side: side, classes: 80)
            imageWidth = Int(try #require(tensors["image_width"]).array(of: Int64.self)[0])
            imageHeight = Int(try #require(tensors["image_height"]).array(of: Int64.self)[0])
            scoreThreshold = Float(try #require(tensors["score_threshold"]).array(of: Double.self)[0])
        }

        func callAsFunction(_ name: String) throws -> Tensor { try #require(tensors[name]) }
    }

    static func card(side: Int, classes: Int, parameters: [String: CardValue] = [:]) throws -> ModelCard {
        try ModelCard(
            name: "test", decoder: "yolact", input: .init(geometry: .stretch(width: side, height: side)),
            outputs: ["loc": "loc", "conf": "conf", "mask": "mask", "priors": "priors", "proto": "proto"],
            parameters: parameters, thresholds: .init(score: 0, topK: 1000), labels: (0..<classes).map { "class \($0)" }
        )
    }

    static let files = ["yolact_im400_seed2", "yolact_resnet50_seed3"]
    static let algorithms: [(key: String, nms: NMS, crops: Bool)] = [
        ("fast", .fast, true), ("fast_nocrop", .fast, false), ("cross_class", .crossClass, true),
        ("traditional", .traditional, true),
    ]

    @Test(arguments: files, algorithms.indices) func agreesWithTheReference(_ file: String, _ algorithm: Int) throws {
        let reference = try Reference(file)
        let (key, nms, crops) = YolactPostprocessTests.algorithms[algorithm]
        let decoder = try YolactDecoder(card: reference.card)
        let found = try decoder.decode(
            outputs: reference.tensors, imageWidth: reference.imageWidth, imageHeight: reference.imageHeight,
            options: DetectionOptions(scoreThreshold: reference.scoreThreshold, nms: nms, cropsMasks: crops), threads: 2
        )

        #expect(try found.map { Int64($0.classIndex) } == reference("\(key)_class").array())
        let scores = try reference("\(key)_score").array(of: Float.self)
        #expect(zip(found, scores).allSatisfy { abs($0.score - $1) <= 1e-6 })
        let boxes = try reference("\(key)_box").array(of: Int64.self)
        #expect(found.flatMap { [$0.box.x1, $0.box.y1, $0.box.x2, $0.box.y2] }.map(Int64.init) == boxes)

        let packed = try reference("\(key)_mask_bits").array(of: UInt8.self)
        let size = reference.imageWidth * reference.imageHeight
        var different = 0
        for (index, instance) in found.enumerated() {
            let bitmap = try #require(instance.bitmap())
            for pixel in 0..<size {
                let bit = index * size + pixel
                if bitmap.bytes[pixel] != packed[bit / 8] >> (7 - bit % 8) & 1 { different += 1 }
            }
        }
        let total = size * found.count
        print(
            "\(file) \(key): \(different) of \(total) mask pixels differ, \(found.reduce(0) { $0 + area($1) }) set")
        #expect(different * 10000 <= total)
    }

    @Test(arguments: files, algorithms.indices)
    func boxesAfterSuppressionAgreeWithTheReference(_ file: String, _ algorithm: Int) throws {
        let (key, nms, crops) = YolactPostprocessTests.algorithms[algorithm]
        guard crops else { return }
        let reference = try Reference(file)
        let decoder = try YolactDecoder(card: reference.card)
        let heads = try YolactOutputs(
            reference.tensors, decoder.roles, batchIndex: 0, classes: 80)
        let side = Float(try #require(reference.card.input.geometry.fixedSize).width)
        let found = nms.select(
            try decoder.anchors(heads, threads: 1),
            .init(
                confidenceThreshold: 0.05, iouThreshold: 0.5, topK: 200, maximumDetections: 100, scoreThreshold: 0,
                inputWidth: side, inputHeight: side))
        #expect(try found.map { Int64($0.classIndex) } == reference("\(key)_raw_class").array())
        let expected = try reference("\(key)_raw_box").array(of: Float.self)
        let boxes = found.flatMap { [$0.box.x1, $0.box.y1, $0.box.x2, $0.box.y2] }
        #expect(boxes.count == expected.count)
        // exp differs by an ulp between libraries; the largest corner is near 1.
        #expect(zip(boxes, expected).allSatisfy { abs($0 - $1) <= 2e-7 })
        withExtendedLifetime(reference) {}
    }

    @Test func resultsDoNotDependOnThreads() throws {
        let reference = try Reference("yolact_im400_seed2")
        let decoder = try YolactDecoder(card: reference.card)
        let results = try [1, 2, 5].map { threads in
            try decoder.decode(outputs: reference.tensors, imageWidth: 640, imageHeight: 427, threads: threads)
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    @Test func optionsNarrowTheResult() throws {
        let reference = try Reference("yolact_im400_seed2")
        let decoder = try YolactDecoder(card: reference.card)
        let all = try decoder.decode(outputs: reference.tensors, imageWidth: 100, imageHeight: 80)
        let few = try decoder.decode(
            outputs: reference.tensors, imageWidth: 100, imageHeight: 80, options: DetectionOptions(topK: 7))
        #expect(all.count == 100 && Array(few) == Array(all.prefix(7)))
        let good = try decoder.decode(
            outputs: reference.tensors, imageWidth: 100, imageHeight: 80,
            options: DetectionOptions(scoreThreshold: 0.99))
        #expect(Array(good) == all.filter { $0.score > 0.99 } && !good.isEmpty)
        let strict = try decoder.decode(
            outputs: reference.tensors, imageWidth: 100, imageHeight: 80, options: DetectionOptions(maskThreshold: 0.9))
        #expect(zip(all, strict).allSatisfy { area($1) <= area($0) })
        for entry in all.cocoResults(imageID: 42) {
            #expect(
                entry.imageID == 42 && (1...80).contains(entry.categoryID) && entry.segmentation?.size == [80, 100])
            #expect(entry.bbox[2] > 0 && entry.bbox[3] > 0)
        }
    }
}
