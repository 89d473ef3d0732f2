import ArgumentParser
import Foundation
import NumpyIO
import Sardonyx
import TensorCore
import TestSupport
import Testing

@testable import SardonyxCommand

/// `sardonyx run` and `sardonyx segment` as the command line calls them.
@Suite struct RunTests {
    private func perform(_ arguments: String...) throws {
        var command = try SardonyxCommand.parseAsRoot(arguments)
        try command.run()
    }

    private func refusal(_ arguments: String...) throws -> SardonyxError {
        try #require(throws: SardonyxError.self) {
            var command = try SardonyxCommand.parseAsRoot(arguments)
            try command.run()
        }
    }

    /// Named before the input that is not there either.
    @Test func outputPlacesAreCheckedFirst() throws {
        let model = try temporaryModel(node("Relu", ["x"], ["y"]))
        for place in ["/no/such/directory/o.npz", FileManager.default.temporaryDirectory.path] {
            let error = try refusal("run", model, "--output", place, "--input", "x=/no/such/x.npy")
            #expect(error.code == .input && error.description.contains("\(place): cannot write"))
        }
        let split = try temporaryModel(node("Split", ["x"], ["y", "z"]), outputs: ["y", "z"])
        let error = try refusal("run", split, "--output", temporaryPath("o.npy"), "--input", "x=/no/such/x.npy")
        #expect(error.code == .usage && error.description.contains("2 outputs"))
    }

    @Test func aSingleOutputIsAPlainArray() throws {
        let (model, path) = (try temporaryModel(node("Relu", ["x"], ["y"])), temporaryPath("o.npy"))
        try perform("run", model, "--output", path)
        #expect(try Npy.read(path).shape.dims == [2])
    }

    /// bfloat16 1.5 is 0x3fc0; fed back as uint16 it is 1.5 again.
    @Test func typesThatNumPyLacksAreStoredAsBits() throws {
        let to = Message.message(5, [.text(1, "to"), .int(3, 16), .int(20, 2)])
        let narrow = try temporaryModel(node("Cast", ["x"], ["y"], to), dtype: 16)
        let (x, y, z) = (temporaryPath("x.npy"), temporaryPath("y.npy"), temporaryPath("z.npy"))
        try Npy.write(try Tensor([1.5, -2] as [Float], dims: [2]), to: x)
        try perform("run", narrow, "--input", "x=\(x)", "--output", y)
        #expect(try Npy.read(y).array(of: UInt16.self) == [0x3fc0, 0xc000])
        let back = Message.message(5, [.text(1, "to"), .int(3, 1), .int(20, 2)])
        let wide = try temporaryModel(node("Cast", ["x"], ["y"], back), input: 16)
        try perform("run", wide, "--input", "x=\(y)", "--output", z)
        #expect(try Npy.read(z).array(of: Float.self) == [1.5, -2])
    }

    @Test func anOutputNamedTwiceIsWrittenOnce() throws {
        let model = try temporaryModel(node("Relu", ["x"], ["y"]), outputs: ["y", "y"])
        let path = temporaryPath("o.npz")
        try perform("run", model, "--output", path)
        #expect(try NpzReader(path).names == ["y"])
    }

    @Test func namesThatDifferInBytesOnly() throws {
        let names = ["\u{e9}", "e\u{301}"]
        let (model, path) = (try temporaryModel(node("Split", ["x"], names), outputs: names), temporaryPath("o.npz"))
        let x = temporaryPath("x.npy")
        try Npy.write(try Tensor([3, 4] as [Float], dims: [2]), to: x)
        try perform("run", model, "--input", "x=\(x)", "--output", path)
        let arrays = try Npz.arrays(path)
        #expect(arrays.map { Array($0.name.utf8) } == names.map { Array($0.utf8) })
        #expect(try arrays.map { try $0.tensor.array(of: Float.self) } == [[3], [4]])
    }

    @Test func anInputGivenTwice() throws {
        let (model, x) = (try temporaryModel(node("Relu", ["x"], ["y"])), temporaryPath("x.npy"))
        try Npy.write(try Tensor([3, 4] as [Float], dims: [2]), to: x)
        #expect(try refusal("run", model, "--input", "x=\(x)", "--input", "x=\(x)").code == .usage)
        #expect(try refusal("run", model, "--shape", "x=2", "--shape", "x=3").code == .usage)
    }

    @Test func aBadPictureLeavesTheOthers() throws {
        let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../models")
        let picture = try #require(
            try FileManager.default.contentsOfDirectory(atPath: models.appendingPathComponent("pictures").path)
                .sorted().first { $0.hasSuffix(".jpg") })
        let folder = temporaryPath("pictures")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bytes = try Data(contentsOf: models.appendingPathComponent("pictures/\(picture)"))
        for (name, content) in [("1.jpg", bytes), ("2.jpg", bytes.prefix(500)), ("3.jpg", bytes)] {
            try content.write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        let out = folder + "/out"
        let code = try #require(throws: ExitCode.self) {
            try perform(
                "segment", folder, "--model", models.appendingPathComponent("demo.onnx").path, "--out", out, "--format",
                "json,coco", "--json")
        }
        #expect(code.rawValue == 4)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out).sorted() == ["1.json", "3.json", "coco.json"])
        let results = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: out + "/coco.json")))
        let ids = try #require(results as? [[String: Any]]).compactMap { $0["image_id"] as? Int }
        #expect(Set(ids) == [1, 3])
        let report = try Console.json(PictureReport("p.jpg", SardonyxError(.image, "p.jpg", "cut")))
        #expect(report.contains("\"error\" : \"image: p.jpg: cut\""))
    }
}
