import TensorCore
import Testing

@testable import Detection

/// Which detector a graph's names and shapes suggest.
@Suite struct GraphRecognitionTests {
    typealias Port = GraphSignature.Port

    @Test func torchvisionsWholeGraphs() throws {
        var outputs = [
            floats("boxes", [nil, 4]), Port(name: "labels", dtype: .int64, extents: [nil]), floats("scores", [nil]),
        ]
        var found = try best(graph([3, nil, nil], outputs: outputs))
        #expect(found.confidence == .likely && found.card.decoder == "instances")
        #expect(found.card.input.geometry == .original && found.card.input.std == [255, 255, 255])
        #expect(found.card.labels.first == "person" && found.card.labels.count == 90)
        #expect(found.card.parameters["first_label"] == .number(1))
        outputs.append(floats("masks", [nil, 1, nil, nil]))
        found = try best(graph([1, 3, 320, 480], outputs: outputs))
        #expect(found.card.outputs["masks"] == "masks")
        #expect(found.card.input.geometry == .stretch(width: 480, height: 320))
        // Traced without names.
        outputs = zip(["3470", "3471", "3472", "3473"], outputs).map {
            Port(name: $0, dtype: $1.dtype, extents: $1.extents)
        }
        found = try best(graph([3, nil, nil], outputs: outputs))
        #expect(found.confidence == .guess)
        #expect(found.card.outputs == ["boxes": "3470", "labels": "3471", "scores": "3472", "masks": "3473"])
    }

    @Test func mmdeploysEndToEndExports() throws {
        let outputs = [
            floats("dets", [1, nil, 5]), Port(name: "labels", dtype: .int64, extents: [1, nil]),
            floats("masks", [1, nil, 64, 64]),
        ]
        let found = try best(graph(outputs: outputs))
        #expect(found.confidence == .likely && found.card.decoder == "instances" && found.card.input.channels == .bgr)
        #expect(found.card.parameters["masks"] == .text("input"))
        #expect(try best(graph(outputs: Array(outputs.prefix(2)))).confidence == .guess)
    }

    @Test(arguments: [(92, "softmax", 91), (91, "sigmoid", 91), (80, "sigmoid", 80), (7, "softmax", 6)])
    func huggingFacesDetectionTransformers(_ columns: Int, _ activation: String, _ labels: Int) throws {
        let outputs = [
            floats("logits", [1, 100, columns]), floats("pred_boxes", [1, 100, 4]),
            floats("last_hidden_state", [1, 100, 256]),
        ]
        let found = try best(graph([1, 3, nil, nil], name: "pixel_values", outputs: outputs))
        #expect(found.card.decoder == "detr" && found.card.parameters["activation"] == .text(activation))
        #expect(found.card.labels.count == labels && found.card.outputs["masks"] == nil)
        #expect(found.card.input.name == "pixel_values")
        if columns == 92 { #expect(found.card.input.geometry == .keepRatio(shortSide: 800, longSide: 1333, stride: 1)) }
        let masked = try best(graph(name: "pixel_values", outputs: outputs + [floats("pred_masks", [1, 100, 16, 16])]))
        #expect(masked.card.outputs["masks"] == "pred_masks")
    }

    @Test func huggingFacesMaskFormers() throws {
        let found = try best(
            graph(
                [nil, 3, nil, nil],
                outputs: [
                    floats("class_queries_logits", [nil, 100, 81]),
                    floats("masks_queries_logits", [nil, 100, nil, nil]),
                ]))
        #expect(found.card.decoder == "mask2former" && found.card.labels.count == 80 && found.confidence == .likely)
    }

    @Test func mapsAndVectorsOfClasses() throws {
        let voc = try best(
            graph([1, 3, nil, nil], outputs: [floats("out", [1, 21, nil, nil]), floats("aux", [1, 21, nil, nil])]))
        #expect(voc.card.decoder == "semantic" && voc.card.labels.count == 20 && voc.confidence == .likely)
        #expect(try best(graph(outputs: [floats("y", [1, 9, 64, 64])])).card.decoder == "semantic")
        let classes = try best(graph([1, 3, 224, 224], outputs: [floats("y", [1, 10])]))
        #expect(classes.card.decoder == "classification" && classes.card.thresholds.topK == 5)
        #expect(classes.card.input.geometry == .centerCrop(width: 224, height: 224, shortSide: 256))
        let named = try best(
            graph(outputs: [floats("y", [1, 2])], metadata: ["task": "classify", "names": "{0: 'cat', 1: 'dog'}"]))
        #expect(named.confidence == .certain && named.card.labels == ["cat", "dog"])
        #expect(named.card.parameters["activation"] == .text("none"))
    }

    @Test func otherGraphsAreNone() {
        for outputs in [
            [floats("y", [1, 3, 64, 64])], [floats("y", [1, 1, 64, 64])], [floats("y", [1, 9, 32, 32])],
            [floats("y", [1, 1])], [floats("y", [1, Int.max])], [floats("y", [1, Int.max, 64, 64])],
            [Port(name: "y", dtype: .float32, extents: nil)], [],
            [floats("logits", [1, 5, Int.max]), floats("pred_boxes", [1, 5, 4])],
            [floats("boxes", [nil, 4]), floats("scores", [nil])],
        ] {
            #expect(DetectorTable.proposals(for: graph(outputs: outputs)).isEmpty)
        }
        #expect(DetectorTable.proposals(for: graph([1, 3, Int.max, 1], outputs: [floats("y", [1, 9])])).isEmpty)
    }
}
