import Testing

@testable import Detection

@Suite struct ClassNamesTests {
    @Test func metadataNamesAreReadAsPythonPrintsThem() throws {
        let names = ClassNames.names(in: ["names": #"{0: 'person', 1: "driver's seat", 2: 'a \'b\' \\ \u00e9\x41'}"#])
        #expect(names == ["person", "driver's seat", #"a 'b' \ éA"#])
        #expect(ClassNames.names(in: ["names": "['cat', 'dog', ]"]) == ["cat", "dog"])
        #expect(ClassNames.names(in: ["names": #"{"1": "dog", "0": "cat"}"#]) == ["cat", "dog"])
        for text in [
            "", "{}", "[]", "{0: 'a'", "{0: 'a', 0: 'b'}", "{1: 'a'}", "{0: 1}", "{0 'a'}", "['a' 'b']", "['a\\']",
            "['\\u12']", "['\\uD800']", "{-1: 'a'}", "['a'] x", String(repeating: "[", count: 100_000),
        ] {
            #expect(ClassNames.names(in: ["names": text]) == nil, "\(text.prefix(40))")
        }
    }

    @Test func literalsOtherThanNames() {
        #expect(PythonLiteral("[640, 640]")?.elements?.map(\.integer) == [640, 640])
        #expect(PythonLiteral(" (32,) ")?.elements?.map(\.integer) == [32])
        #expect(PythonLiteral("32")?.integer == 32 && PythonLiteral("1e99")?.integer == nil)
        #expect(PythonLiteral("{'nms': False, 'x': None}") != nil)
    }

    @Test func labelsFollowTheFileThenTheCount() throws {
        let own = ClassNames(count: 2, metadata: ["names": "{0: 'cat', 1: 'dog'}"])
        #expect(own.labels == ["cat", "dog"] && own.categoryIDs == nil && own.areKnown)
        let other = ClassNames(count: 3, metadata: ["names": "{0: 'cat', 1: 'dog'}"])
        #expect(other.labels == ["class 0", "class 1", "class 2"] && !other.areKnown)
        let coco = ClassNames(count: 80)
        #expect(coco.labels.count == 80 && coco.labels[79] == "toothbrush")
        // From COCO's instances_val2017.json: stop sign is 13, parking meter 14, toothbrush 90.
        #expect(coco.categoryIDs?[11] == 13 && coco.categoryIDs?[12] == 14 && coco.categoryIDs?[79] == 90)
        let ninety = ClassNames(count: 90)
        #expect(ninety.labels[12] == "stop sign" && ninety.labels[11] == "N/A" && ninety.labels[89] == "toothbrush")
        let all = ClassNames(count: 91)
        #expect(all.labels[0] == "__background__" && all.labels[1] == "person" && all.categoryIDs?[90] == 90)
    }
}
