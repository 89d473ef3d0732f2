import Foundation
import GraphIR
import OnnxExport
import OnnxImport
import TensorCore
import Testing

@Suite struct ElementTests {
    /// Initializers of every type, made by the PyPI packages onnx and ml_dtypes.
    static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../OnnxImportTests/Fixtures/encodings.onnx").path

    private func contents(_ graph: Graph) throws -> [Name: (DType, [Int], [UInt8])] {
        var found: [Name: (DType, [Int], [UInt8])] = [:]
        for value in graph.values {
            guard let constant = value.constant else { continue }
            let tensor = try constant.tensor()
            let bytes =
                tensor.dtype == .string
                ? try tensor.array(of: String.self).flatMap { Array($0.utf8) + [0xff] }
                : tensor.withUnsafeBytes { Array($0) }
            found[value.name] = (tensor.dtype, tensor.shape.dims, bytes)
        }
        return found
    }

    @Test func everyType() throws {
        let original = try OnnxImporter.load(path: Self.fixture)
        let (before, after) = (
            try contents(original.graph),
            try contents(try OnnxImporter.load(bytes: try OnnxExporter.bytes(of: original)).graph)
        )
        #expect(Set(before.values.map(\.0)).count == DType.allCases.count)
        #expect(after.count == before.count)
        for (name, (dtype, dims, bytes)) in before {
            let other = try #require(after[name])
            #expect(other.0 == dtype && other.1 == dims && other.2 == bytes, "\(name)")
        }
    }

    /// int4 1, -2, 7 are the nibbles 1, e, 7: bytes e1 07; the 6-bit codes 1, 2, 3, 63 are 81 30 fc.
    static let narrow: [(DType, [UInt8], [UInt8])] = [
        (.int4, [1, 0xfe, 7], [0xe1, 0x07]), (.uint2, [1, 2, 3, 0, 1], [0x39, 0x01]),
        (.float6e2m3, [1, 2, 3, 63], [0x81, 0x30, 0xfc]),
    ]

    @Test(arguments: narrow)
    func narrowTypesArePacked(dtype: DType, elements: [UInt8], packed: [UInt8]) throws {
        let tensor = try Tensor(dtype: dtype, shape: try Shape([elements.count])) { memory in
            for (index, element) in elements.enumerated() {
                memory.storeBytes(of: element, toByteOffset: index, as: UInt8.self)
            }
        }
        var model = try AttributeTests.model([:])
        _ = model.graph.addValue(Value(name: "w", constant: Constant(tensor)))
        let bytes = try OnnxExporter.bytes(of: model)
        // raw_data is field 9, a length and the bytes.
        let field = [9 << 3 | 2, UInt8(packed.count)] + packed
        #expect(bytes.indices.contains { bytes[$0...].starts(with: field) })
        let read = try OnnxImporter.load(bytes: bytes).graph.values.first { $0.name == "w" }?.constant
        #expect(try read?.tensor().withUnsafeBytes { Array($0) } == elements)
    }

    @Test func externalData() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sardonyx-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var model = try AttributeTests.model([:])
        let large = (0..<3).map { k in (0..<500).map { Float($0 + k) } }
        for (index, values) in large.enumerated() {
            _ = model.graph.addValue(
                Value(name: Name("w\(index)"), constant: Constant(try Tensor(values, dims: [values.count]))))
        }
        _ = model.graph.addValue(Value(name: "small", constant: Constant(try Tensor([1] as [Float], dims: [1]))))
        let path = folder.appendingPathComponent("m.onnx").path
        let summary = try OnnxExporter.write(model, to: path, externalData: true)
        // Offsets are multiples of the page size.
        #expect(summary.externalByteCount == 2 * 4096 + 2000 && summary.byteCount < 1000)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["m.onnx", "m.onnx.data"])
        let graph = try OnnxImporter.load(path: path).graph
        for (index, values) in large.enumerated() {
            let constant = try #require(graph.values.first { $0.name == Name("w\(index)") }?.constant)
            #expect(try constant.tensor().array() == values)
        }
        #expect(graph.values.contains { $0.name == "small" && $0.constant?.isResident == true })
    }

    @Test func aFailedWriteLeavesNothing() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sardonyx-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var model = try AttributeTests.model([:])
        let lost = Constant(dtype: .float32, shape: try Shape([4])) { () throws(SardonyxError) in
            throw SardonyxError(.external, "w", "gone")
        }
        _ = model.graph.addValue(Value(name: "w", constant: lost))
        for external in [false, true] {
            let error = #expect(throws: SardonyxError.self) {
                try OnnxExporter.write(model, to: folder.path + "/m.onnx", externalData: external)
            }
            #expect(error?.code == .external)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
