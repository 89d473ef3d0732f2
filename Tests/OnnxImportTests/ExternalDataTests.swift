import Glibc
import GraphIR
import TensorCore
import TestSupport
import Testing

@testable import OnnxImport

/// A directory with a model's data and every kind of thing that a model may not read; removed in the end.
private final class Directory {
    let outer: String
    var path: String { outer + "/model" }

    init() throws {
        var template = Array("/tmp/sardonyx-external-XXXXXX".utf8CString)
        outer = String(cString: try #require(mkdtemp(&template)))
        mkdir(path, 0o700)
        mkdir(path + "/directory", 0o700)
        mkfifo(path + "/fifo", 0o600)
        write(little([9, 1, 2, 3, 4]), "model/data")
        write(little([6, 6, 6, 6]), "secret")
        symlink("../secret", path + "/link")
        symlink("/dev/zero", path + "/zero")
        symlink("data", path + "/inside")
    }

    deinit {
        for name in ["fifo", "data", "link", "zero", "inside", "model.onnx"] { unlink(path + "/" + name) }
        rmdir(path + "/directory")
        rmdir(path)
        unlink(outer + "/secret")
        rmdir(outer)
    }

    func write(_ bytes: [UInt8], _ name: String) {
        let descriptor = open(outer + "/" + name, O_CREAT | O_TRUNC | O_WRONLY, 0o600)
        _ = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
    }

    func load(_ entries: [(String, String)], root: String? = nil) throws(SardonyxError) -> [Float] {
        write(relu(externalTensor(entries)), "model/model.onnx")
        let graph = try OnnxImporter.load(path: path + "/model.onnx", externalRoot: root).graph
        return try graph.values[0].constant?.tensor().array() ?? []
    }

    func failure(_ entries: [(String, String)]) throws -> SardonyxError {
        try #require(throws: SardonyxError.self) { () throws(SardonyxError) in try load(entries) }
    }
}

@Suite struct ExternalDataTests {
    @Test(arguments: ["data", "inside", "./data", "directory/../data"]) func filesInsideAreRead(_ location: String)
        throws
    {
        let directory = try Directory()
        #expect(try directory.load([("location", location), ("offset", "4"), ("length", "16")]) == [1, 2, 3, 4])
        #expect(try directory.load([("location", location)]) == [9, 1, 2, 3])
    }

    @Test(arguments: ["../secret", "link", "zero", "/dev/zero", "directory/../../secret"])
    func nothingOutsideIsRead(_ location: String) throws {
        let directory = try Directory()
        let error = try directory.failure([("location", location)])
        #expect(error.code == .external && error.states("'\(location)'", directory.path, "--external-root"))
    }

    @Test(arguments: ["fifo", "directory"]) func onlyRegularFilesAreRead(_ location: String) throws {
        let error = try Directory().failure([("location", location)])
        #expect(error.code == .external && error.states("not a regular file", location))
    }

    @Test func missingFile() throws {
        let error = try Directory().failure([("location", "nowhere")])
        #expect(error.code == .external && error.states("nowhere", "No such file"))
    }

    /// For looking into a model: what is known stays, the contents say why they are not there.
    @Test func missingDataIsToleratedOnRequest() throws {
        let directory = try Directory()
        for entries in [[("location", "nowhere")], [("location", "data"), ("offset", "8")], [("location", "link")]] {
            directory.write(relu(externalTensor(entries)), "model/model.onnx")
            let path = directory.path + "/model.onnx"
            let strict = try #require(throws: SardonyxError.self) { try OnnxImporter.load(path: path) }
            let graph = try OnnxImporter.load(path: path, toleratesMissingData: true).graph
            let constant = try #require(graph.values[0].constant)
            #expect(constant.dtype == .float32 && constant.shape.dims == [4])
            let fault = try #require(constant.fault)
            #expect(fault.code == .external && strict.description.hasSuffix(fault.message))
            #expect(try #require(throws: SardonyxError.self) { try constant.tensor() } == fault)
        }
        let whole = relu(tensor("w", dims: [4], .bytes(9, [0])))
        directory.write(whole, "model/model.onnx")
        let error = try #require(throws: SardonyxError.self) {
            try OnnxImporter.load(path: directory.path + "/model.onnx", toleratesMissingData: true)
        }
        #expect(error.code == .tensor)
    }

    @Test(arguments: [
        (("offset", "8"), "offset 8, length not given, file size 20"), (("offset", "-1"), "'-1'"),
        (("offset", "0x"), "'0x'"),
        (("offset", "+4"), "'+4'"), (("offset", "99999999999999999999"), "99999999999999999999"),
        (("offset", "9223372036854775807"), "file size 20"), (("length", "12"), "length 12"),
        (("length", "-1"), "'-1'"),
        (("basepath", "x"), "'basepath'"), (("location", "data"), "given twice"),
    ])
    func impossibleRanges(_ entry: (String, String), _ stated: String) throws {
        let error = try Directory().failure([("location", "data"), entry])
        #expect(error.code == .external && error.states("'w'", stated))
    }

    @Test func modelInMemoryHasNoFiles() throws {
        let error = try failure(relu(externalTensor([("location", "data")])))
        #expect(error.code == .external && error.states("memory", "--external-root"))
        let directory = try Directory()
        let graph = try OnnxImporter.load(
            bytes: relu(externalTensor([("location", "data")])), externalRoot: directory.path
        ).graph
        #expect(try graph.values[0].constant?.tensor().array() == [9, 1, 2, 3] as [Float])
    }

    @Test func anAllowedRootLetsLinksLeaveTheModelsDirectory() throws {
        let directory = try Directory()
        #expect(try directory.load([("location", "link")], root: directory.outer) == [6, 6, 6, 6])
    }

    @Test func aFileThatShrinksIsAnError() throws {
        let directory = try Directory()
        directory.write(little((0..<2000).map { Float($0) }), "model/data")
        directory.write(relu(externalTensor([("location", "data")], count: 2000)), "model/model.onnx")
        let graph = try OnnxImporter.load(path: directory.path + "/model.onnx").graph
        #expect(truncate(directory.path + "/data", 100) == 0)
        let error = try #require(throws: SardonyxError.self) { try graph.values[0].constant?.tensor() }
        #expect(error.code == .parse && error.states("was cut while it was read"))
    }
}
