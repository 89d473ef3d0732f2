import Foundation
import TensorCore
import Testing

@testable import Detection

@Suite struct ModelCardTests {
    static let text = """
        {"name": "m", "decoder": "yolact", "license": "x", "measured": {"mask_map": 0.5},
         "input": {"name": "image", "width": 550, "height": 540, "geometry": "stretch", "channels": "bgr",
                   "mean": [1, 2.5, 3], "std": [58.4, 57.12, 57.38]},
         "outputs": {"loc": "a", "conf": "b", "mask": "c", "priors": "d", "proto": "e"},
         "yolact": {"variances": [0.1, 0.25], "nms_top_k": 150},
         "thresholds": {"score": 0.3, "top_k": 12},
         "labels": ["cat", "dog"], "category_ids": [7, 90]}
        """

    private func decode(_ text: String) throws -> ModelCard {
        try JSONDecoder().decode(ModelCard.self, from: Data(text.utf8))
    }

    @Test func everyFieldIsRead() throws {
        let card = try decode(ModelCardTests.text)
        #expect(card.input.name == "image" && card.input.geometry == .stretch(width: 550, height: 540))
        #expect(card.input.channels == .bgr && card.input.mean == [1, 2.5, 3])
        #expect(card.outputs["mask"] == "c" && card.labels == ["cat", "dog"] && card.categoryIDs == [7, 90])
        #expect(card.thresholds.score == 0.3 && card.thresholds.topK == 12 && card.measured == ["mask_map": 0.5])
        let parameters = try YolactParameters(card.parameters)
        #expect(
            parameters.variances == [0.1, 0.25] && parameters.nmsTopK == 150 && parameters.maximumDetections == 100)
        #expect(try DetectorTable.detector(for: card).outputNames == ["a", "b", "c", "d", "e"])
        let again = try JSONDecoder().decode(ModelCard.self, from: JSONEncoder().encode(card))
        #expect(again == card)
    }

    @Test func categoriesCountFromOneByDefault() throws {
        let card = try decode(ModelCardTests.text.replacingOccurrences(of: ", \"category_ids\": [7, 90]", with: ""))
        #expect(card.categoryIDs == [1, 2])
    }

    @Test(arguments: [
        ("\"license\"", "\"licence\"", "'licence': unknown key"), ("\"width\": 550, ", "", "'input.width': missing"),
        ("550", "0", "'input.width'"), ("550", "1e9", "'input.width'"), ("550", "5.5", "'input.width'"),
        (
            "\"stretch\"", "\"shrink\"",
            "'input.geometry': unknown value; got \"shrink\", allowed stretch, letterbox, keep-ratio, center-crop, original"
        ),
        (
            "\"height\": 540,", "\"height\": 540, \"short_side\": 3,",
            "'input.short_side': does not belong to the geometry"
        ),
        ("\"stretch\"", "\"letterbox\", \"stride\": 0", "'input.stride'"),
        ("\"stretch\"", "\"letterbox\", \"align\": \"left\"", "allowed center, top-left"),
        ("\"stretch\"", "\"stretch\", \"padding\": 256", "'input.padding'"),
        ("\"stretch\"", "\"keep-ratio\", \"short_side\": 3, \"long_side\": 4", "'input.width': does not belong"),
        ("\"bgr\"", "\"grb\"", "allowed rgb, bgr"), ("[1, 2.5, 3]", "[1, 2.5]", "'input.mean'"),
        ("58.4,", "0,", "'input.std'"), ("[7, 90]", "[7]", "'category_ids'"), ("[7, 90]", "[7, 7]", "'category_ids'"),
        ("[\"cat\", \"dog\"]", "[]", "'labels'"), ("[\"cat\", \"dog\"]", "[1, 2]", "'labels': wrong type"),
        ("\"score\": 0.3", "\"score\": 3", "'thresholds.score'"),
        ("\"top_k\": 12", "\"top_k\": 0", "'thresholds.top_k'"),
        ("\"top_k\": 12", "\"topk\": 12", "'thresholds.topk': unknown key; allowed score, top_k"),
        ("\"m\"", "\"\"", "'name'"), ("\"yolact\":", "\"yolo\":", "'yolo': unknown key"),
        ("\"input\": {", "\"input\": 3, \"outputs\": {", "'input'"), ("\"c\"", "3", "'outputs': wrong type"),
    ]) func faultsNameTheKey(_ old: String, _ new: String, _ message: String) throws {
        let text = ModelCardTests.text.replacingOccurrences(of: old, with: new)
        let error = try #require(throws: SardonyxError.self) { try self.decode(text) }
        #expect(error.code == .parse && error.description.contains(message), "\(error)")
    }

    @Test(arguments: [
        ("\"nms_top_k\": 150", "\"nms_top_k\": 0", "'yolact.nms_top_k'"),
        ("\"nms_top_k\": 150", "\"nms_top_k\": 1e300", "'yolact.nms_top_k'"),
        ("\"nms_top_k\": 150", "\"nms_topk\": 1", "'yolact.nms_topk': unknown key; allowed variances"),
        ("[0.1, 0.25]", "[0.1]", "'yolact.variances'"), ("[0.1, 0.25]", "\"x\"", "'yolact.variances'"),
        ("\"mask\": \"c\"", "\"coefficients\": \"c\"", "'outputs.coefficients': unknown role"),
        ("\"mask\": \"c\", ", "", "'outputs.mask': missing role"),
        ("\"decoder\": \"yolact\"", "\"decoder\": \"yolact9\", \"yolact9\": {}", "'yolact': unknown key"),
    ]) func theDetectorRefusesWhatItCannotUse(_ old: String, _ new: String, _ message: String) throws {
        let text = ModelCardTests.text.replacingOccurrences(of: old, with: new)
        let error = try #require(throws: SardonyxError.self) { try DetectorTable.detector(for: self.decode(text)) }
        #expect(error.code == .parse && error.description.contains(message), "\(error)")
    }

    @Test func unknownDetectorsAreUnsupported() throws {
        let text = ModelCardTests.text.replacingOccurrences(of: "\"yolact\"", with: "\"other\"")
        let error = try #require(throws: SardonyxError.self) { try DetectorTable.detector(for: self.decode(text)) }
        #expect(error.code == .unsupported && error.description.contains("yolact"))
    }
}
