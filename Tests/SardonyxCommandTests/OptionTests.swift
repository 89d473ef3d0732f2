import Foundation
import Sardonyx
import TestSupport
import Testing

@testable import SardonyxCommand

/// Runs a command as the command line would.
private func refusal(_ arguments: [String]) throws -> SardonyxError {
    try #require(throws: SardonyxError.self) {
        var command = try SardonyxCommand.parseAsRoot(arguments)
        try command.run()
    }
}

/// What is wrong with a command line is said before anything is loaded or run.
@Suite struct OptionTests {
    private static let sizes: [(text: String, bytes: Int)] = [
        ("512M", 536_870_912), ("512MB", 512_000_000), ("1.5G", 1_610_612_736), ("4GiB", 4_294_967_296),
        ("4 gib", 4_294_967_296), ("100", 100), ("1k", 1024), ("2kB", 2000), ("0.5KiB", 512), ("7B", 7),
        ("1T", 1_099_511_627_776),
    ]

    @Test(arguments: Self.sizes) func sizesAreRead(text: String, bytes: Int) {
        #expect(Units.byteCount(text) == bytes)
    }

    @Test(arguments: ["", "G", "-1", "0", "1.5.2G", "1e9", "5X", "5GG", "5iB", "9999999999T", "0.1B", "nan", "1G M"])
    func noSizes(text: String) {
        #expect(Units.byteCount(text) == nil)
    }

    @Test func shortTimesKeepTheirDigits() {
        #expect(Units.text(milliseconds: 0.00213) == "2.1 µs")
        #expect(Units.text(milliseconds: 0.4567) == "456.7 µs")
        #expect(Units.text(milliseconds: 4.567) == "4.57 ms")
    }

    @Test(arguments: [
        ["--score", "2"], ["--score", "-1"], ["--top-k", "0"], ["--mask-threshold", "7"], ["--format", ""],
        ["--format", "json,,coco"], ["--format", "xml"],
    ]) func segmentChecksItsOptionsFirst(options: [String]) throws {
        let error = try refusal(["segment", "no-such.jpg", "--model", "no-such.onnx"] + options)
        #expect(error.code == .usage, "\(options): \(error)")
    }

    @Test func negativeThreadsAreACount() throws {
        let path = try temporaryModel(node("Relu", ["x"], ["y"]))
        let error = try refusal(["run", path, "--threads", "-1"])
        #expect(error.code == .usage && error.description.contains("got -1"))
    }

    @Test func resultsGetNamesOfTheirOwn() {
        #expect(SegmentWriter.distinct(["a", "b"], besides: []) == ["a", "b"])
        let names = SegmentWriter.distinct(["a", "a", "a-1", "a-2", "coco"], besides: ["coco"])
        #expect(Set(names).count == 5 && !names.contains("coco"))
        #expect(names[2] == "a-1" && names[3] == "a-2")
    }

    @Test func imageIDsAreDistinct() {
        #expect(SegmentWriter.imageIDs(["1", "7", "000000012"]) == [1, 7, 12])
        #expect(SegmentWriter.imageIDs(["1", "001"]) == [1, 2])
        #expect(SegmentWriter.imageIDs(["5", "a"]) == [1, 2])
    }
}

/// A model file of one node from x, two elements.
func temporaryModel(
    _ node: Message, input: Int = 1, outputs: [String] = ["y"], dtype: Int = 1
) throws -> String {
    let signature =
        Message.message(11, value("x", dtype: input, extents: [.int(1, 2)]))
        + outputs.reduce(Message()) { $0 + .message(12, value($1, dtype: dtype, extents: nil)) }
    let path = temporaryPath("m.onnx")
    try Data(model(graph([node], more: signature))).write(to: URL(fileURLWithPath: path))
    return path
}

func temporaryPath(_ name: String) -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString)-\(name)").path
}
