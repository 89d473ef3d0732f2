import Glibc
import GraphIR
import TensorCore
import TestSupport
import Testing

@testable import OnnxImport

/// Loads bytes that must not load.
func failure(_ bytes: [UInt8]) throws -> SardonyxError {
    try #require(throws: SardonyxError.self) { try OnnxImporter.load(bytes: bytes) }
}

extension SardonyxError {
    func states(_ parts: String...) -> Bool { parts.allSatisfy { description.contains($0) } }
}

@Suite struct BadFileTests {
    @Test func emptyFile() throws {
        let error = try failure([])
        #expect(error.code == .parse && error.states("file is empty"))
    }

    @Test(arguments: ["hello\n", "Grüße, welches Modell?\r\n", String(repeating: "é\t", count: 400)])
    func text(_ content: String) throws {
        for start in [content, "x" + content] {
            let error = try failure(Array(start.utf8))
            #expect(error.code == .parse && error.states("text, not an ONNX model"))
        }
    }

    @Test func everyTruncationIsAnError() throws {
        let whole = relu(zeros("w", 3))
        for count in 0..<whole.count {
            let error = try failure(Array(whole.prefix(count)))
            #expect(error.code == .parse || error.code == .graph, "\(count) bytes: \(error)")
        }
        let half = try failure(Array(whole.prefix(whole.count / 2)))
        #expect(half.states("'graph'", "at byte 2", "bytes needed", "left"))
    }

    @Test func everyByteChangedLoadsOrFailsCleanly() throws {
        let whole = relu(zeros("w", 3))
        for index in whole.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff, whole[index] ^ 1, whole[index] ^ 0x10] as [UInt8] {
                var bytes = whole
                bytes[index] = value
                do throws(SardonyxError) {
                    let model = try OnnxImporter.load(bytes: bytes)
                    for value in model.graph.values { _ = try value.constant?.tensor() }
                } catch {
                    #expect(error.code != .internal, "byte \(index) = \(value): \(error)")
                }
            }
        }
    }

    @Test func largeFilePointer() throws {
        let error = try failure(Array("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n".utf8))
        #expect(error.code == .parse && error.states("Git LFS pointer", "sha256:abc", "git lfs pull"))
    }

    @Test(arguments: [
        ("PK\u{3}\u{4}rest", "zip"), ("<!DOCTYPE html><html>", "HTML"), ("  <html>", "HTML"), ("{\"a\": 1}", "JSON"),
        ("ir_version: 8", "text form"), ("\0\0\0\0TFL3", "TensorFlow Lite"),
    ])
    func otherTextFormats(_ text: String, _ name: String) throws {
        let error = try failure(Array(text.utf8))
        #expect(error.code == .parse && error.states(name, "not an ONNX model"))
    }

    @Test(arguments: [([0x1f, 0x8b, 8, 0], "gzip"), ([0x80, 0x02, 0x8a, 0x0a], "pickle")] as [([UInt8], String)])
    func otherBinaryFormats(_ bytes: [UInt8], _ name: String) throws {
        let error = try failure(bytes)
        #expect(error.code == .parse && error.states(name))
    }

    @Test func deepTypes() throws {
        var type = Message()
        for _ in 0..<20_000 / 20 { type = .message(4, .message(1, type)) }
        let bytes = model(graph([], more: .message(11, [.text(1, "x"), .message(2, type)])))
        let error = try failure(bytes)
        #expect(error.code == .limit && error.states("depth", "at byte", "got 101, allowed 100"))
    }

    @Test func emptyNodesAreFoundByTheScan() throws {
        let nodes = [UInt8](repeating: 0, count: 4_000_000).enumerated().map { $0.offset % 2 == 0 ? 0x0a : $0.element }
        let error = try failure(model(Message(nodes)))
        #expect(error.code == .graph && error.states("node 0 has no op_type"))
    }

    @Test func memoryForStructureIsBounded() throws {
        // Two million empty initializers unpack to some hundred bytes each.
        let initializers = [UInt8](repeating: 0, count: 4_000_000).enumerated().map {
            $0.offset % 2 == 0 ? 0x2a : $0.element
        }
        let error = try failure(model(Message(initializers)))
        #expect(error.code == .limit && error.states("memory"))
    }

    @Test func tooLargeAFile() throws {
        let path = "/tmp/sardonyx-too-large-\(getpid()).onnx"
        let descriptor = open(path, O_CREAT | O_RDWR | O_TRUNC, 0o600)
        defer { unlink(path) }
        #expect(pwrite(descriptor, [0x08, 0x08], 2, 0) == 2)
        #expect(ftruncate(descriptor, off_t(1) << 31) == 0)
        close(descriptor)
        let error = try #require(throws: SardonyxError.self) { try OnnxImporter.load(path: path) }
        #expect(error.code == .limit && error.states("2147483648 bytes", "2147483647", "external data"))
    }

    @Test(arguments: ["/tmp", "/nowhere/model.onnx", "/dev/zero"]) func notAFile(_ path: String) throws {
        let error = try #require(throws: SardonyxError.self) { try OnnxImporter.load(path: path) }
        #expect(error.code == .parse && error.states(path))
    }

    @Test func missingFields() throws {
        let noGraph: Message = [.int(1, 8), .message(8, .int(2, 17))]
        #expect(try failure(noGraph.bytes).states("graph:", "'graph' is missing"))
        let noOpset: Message = [.int(1, 8), .message(7, graph([]))]
        #expect(try failure(noOpset.bytes).states("graph:", "'opset_import' is missing"))
    }

    @Test func versionsOfTheFuture() throws {
        let opset = try failure(model(graph([]), opset: 99))
        #expect(opset.code == .unsupported && opset.states("ai.onnx", "got 99", "at most 28"))
        let format = try failure(model(graph([]), ir: 99))
        #expect(format.code == .unsupported && format.states("IR version", "got 99", "at most 14"))
    }

    @Test func repeatedMessagesAndWrongWireTypesAreRefused() throws {
        let twice = try failure(model(graph([]), more: .message(7, graph([]))))
        #expect(twice.code == .parse && twice.states("'graph' occurs twice"))
        let wire = try failure(model(graph([]), more: .text(1, "8")))
        #expect(wire.code == .parse && wire.states("'ir_version'", "wire type"))
        let oneof = try failure(
            model(
                graph(
                    [], more: .message(11, [.text(1, "x"), .message(2, [.message(1, .int(1, 1)), .message(4, [])])]))))
        #expect(oneof.code == .parse && oneof.states("'sequence_type'"))
    }

    @Test func unknownFieldsAreIgnored() throws {
        let unknown: Message = [.int(999, 7), .bytes(500, [1, 2, 3]), .fixed32(77, 1)]
        #expect(
            try OnnxImporter.load(
                bytes: model(graph([node("Relu", ["x"], ["y"], unknown)], inputs: ["x"], outputs: ["y"]), more: unknown)
            ).graph.nodes.count == 1)
    }
}
