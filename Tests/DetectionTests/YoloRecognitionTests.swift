import Testing

@testable import Detection

/// What YOLO's exporters write into a file, and what shapes alone give away; 64 × 64 pixels have 64 + 16 + 4 cells.
@Suite struct YoloRecognitionTests {
    private let ultralytics = [
        "task": "detect", "names": "{0: 'cat', 1: 'dog'}", "stride": "32", "imgsz": "[96, 64]", "end2end": "False",
        "args": "{'batch': 1, 'nms': False}",
    ]

    private func layout(_ proposal: CardProposal) -> String? {
        guard case .text(let layout) = proposal.card.parameters["layout"] else { return nil }
        return layout
    }

    @Test func metadataAndShapesAgree() throws {
        for (extents, wanted) in [([1, 6, 84], "v8"), ([1, 252, 7], "v5"), ([1, 300, 6], "end2end")] {
            let found = try best(graph(outputs: [floats("output0", extents)], metadata: ultralytics))
            #expect(found.confidence == .certain && layout(found) == wanted)
            #expect(found.card.labels == ["cat", "dog"] && found.card.input.std == [255, 255, 255])
            #expect(found.card.input.geometry == .letterbox(.init(width: 64, height: 64)))
        }
        let masks = [floats("output0", [1, 38, 84]), floats("output1", [1, 32, 16, 16])]
        let segment = try best(graph(outputs: masks, metadata: ultralytics.merging(["task": "segment"]) { $1 }))
        #expect(layout(segment) == "v8" && segment.card.outputs == ["detections": "output0", "proto": "output1"])
        let contrary = graph(outputs: [floats("output0", [1, 9, 84])], metadata: ultralytics)
        #expect(YoloDecoder.recognize(contrary) == nil)
    }

    /// torch.onnx often leaves the extents of a concatenation open, the channels' too.
    @Test func metadataDecideWhereTheGraphLeavesTheShapeOpen() throws {
        let outputs = [floats("output0", [nil, nil, nil]), floats("output1", [nil, 32, nil, nil])]
        let open = try best(graph([nil, 3, nil, nil], name: "images", outputs: outputs, metadata: ultralytics))
        #expect(open.confidence == .likely && layout(open) == "v8" && open.card.labels == ["cat", "dog"])
        #expect(open.card.outputs["proto"] == "output1")
        // `imgsz` is height, width.
        #expect(open.card.input.geometry == .letterbox(.init(width: 64, height: 96, stride: 32)))
        let cells = graph(outputs: [floats("output0", [1, nil, 84])], metadata: ultralytics)
        #expect(layout(try best(cells)) == "v8")
        #expect(YoloDecoder.recognize(graph(outputs: [floats("y", [1, nil, 83])], metadata: ultralytics)) == nil)
        // YOLOv5's exporter writes two keys.
        let old = ["names": "['cat', 'dog']", "stride": "32"]
        let rows = try best(graph([1, 3, nil, nil], outputs: [floats("output0", [1, nil, nil])], metadata: old))
        #expect(rows.confidence == .likely && layout(rows) == "v5" && rows.card.labels == ["cat", "dog"])
        #expect(try best(graph(outputs: [floats("output0", [1, 252, 7])], metadata: old)).confidence == .certain)
    }

    /// YOLO26 selects its detections itself, others do with `nms=True`; a dynamic export calls their last axis anchors.
    @Test func exportsThatDecideByThemselves() throws {
        for change in [["end2end": "True"], ["args": "{'nms': True, 'dynamic': True}"]] {
            let metadata = ultralytics.merging(change) { $1 }
            for extents in [[nil, 300, nil], [1, 300, 6], [nil, nil, nil]] as [[Int?]] {
                let found = try best(
                    graph([nil, 3, nil, nil], outputs: [floats("output0", extents)], metadata: metadata))
                #expect(found.confidence == .certain && layout(found) == "end2end")
            }
        }
    }

    @Test func shapesAlone() throws {
        for (extents, wanted, confidence, labels) in [
            ([1, 84, 84], "v8", .likely, 80), ([1, 252, 25], "v5", .likely, 20), ([1, 300, 6], "end2end", .guess, 80),
            ([1, 84, 7], "v5", .guess, 2),
        ] as [([Int], String, CardProposal.Confidence, Int)] {
            let found = try best(graph(outputs: [floats("output0", extents)]))
            #expect(found.confidence == confidence && layout(found) == wanted && found.card.labels.count == labels)
        }
        let open = try best(graph([1, 3, nil, nil], outputs: [floats("output0", [1, 84, nil])]))
        #expect(open.confidence == .guess && layout(open) == "v8")
    }

    @Test func otherTasksAndShapesNoTensorHasAreNone() {
        for task in ["pose", "obb"] {
            let metadata = ultralytics.merging(["task": task]) { $1 }
            #expect(YoloDecoder.recognize(graph(outputs: [floats("output0", [1, 6, 84])], metadata: metadata)) == nil)
        }
        for extents in [[1, 1 << 40, 84], [1, 252, 1 << 40], [1, Int.max, 84], [1, -9, 84], [1, 6, Int.max]] {
            #expect(YoloDecoder.recognize(graph(outputs: [floats("output0", extents)])) == nil)
        }
        let proto = [floats("output0", [1, 0, 84]), floats("output1", [1, Int.max, 16, 16])]
        #expect(YoloDecoder.recognize(graph(outputs: proto, metadata: ultralytics)) == nil)
        let wide = graph([1, 3, 1 << 48, 1 << 20], outputs: [floats("output0", [1, 252, 7])])
        #expect(YoloDecoder.recognize(wide) == nil)
    }
}
