import Glibc
import GraphIR
import TensorCore
import TestSupport
import Testing

@testable import OnnxImport

@Suite struct BadTensorTests {
    @Test(arguments: [20, 28]) func rawDataOfTheWrongSize(_ count: Int) throws {
        let error = try failure(relu(tensor("w", dims: [2, 3], .bytes(9, [UInt8](repeating: 0, count: count)))))
        #expect(error.code == .tensor && error.states("'w'", "float32[2, 3]", "got \(count) bytes", "24 bytes"))
    }

    @Test func typedFieldOfTheWrongSize() throws {
        let error = try failure(relu(tensor("w", dims: [3], .bytes(4, little([1, 2])))))
        #expect(error.code == .tensor && error.states("float_data", "got 2 entries", "allowed 3", "12 bytes"))
    }

    @Test func impossibleExtents() throws {
        let overflow = try failure(relu(tensor("w", dims: [1 << 32, 1 << 32])))
        #expect(overflow.code == .tensor && overflow.states("product", "overflows", "4294967296"))
        let negative = try failure(relu(tensor("w", dims: [-4])))
        #expect(negative.code == .tensor && negative.states("negative", "-4"))
    }

    @Test func twoPayloads() throws {
        let error = try failure(relu(tensor("w", dims: [1], .bytes(9, little([1])), .bytes(4, little([1])))))
        #expect(error.code == .tensor && error.states("2 payloads", "raw_data and float_data"))
    }

    @Test func noPayloadAndForeignPayload() throws {
        let none = try failure(relu(tensor("w", dims: [2])))
        #expect(none.code == .tensor && none.states("no payload", "0 bytes", "8 bytes"))
        let foreign = try failure(relu(tensor("w", dtype: 7, dims: [1], .bytes(4, little([1])))))
        #expect(foreign.code == .tensor && foreign.states("got float_data", "int64_data"))
    }

    @Test func unknownTypes() throws {
        let undefined = try failure(relu(tensor("w", dtype: 0, dims: [1])))
        #expect(undefined.code == .tensor && undefined.states("0 (undefined)"))
        let unknown = try failure(relu(tensor("w", dtype: 999, dims: [1])))
        #expect(unknown.code == .unsupported && unknown.states("999"))
    }

    @Test func entriesTooLargeForTheirType() throws {
        let error = try failure(relu(tensor("w", dtype: 3, dims: [2], .bytes(5, [1] + Message.varint(300)))))
        #expect(error.code == .tensor && error.states("element 1", "int8", "got 300"))
    }

    @Test func sparseIndexOutOfRange() throws {
        let sparse: Message = [
            .message(1, tensor("s", dims: [1], .bytes(9, little([5])))),
            .message(2, tensor("", dtype: 7, dims: [1], .bytes(7, [12]))), .int(3, 3), .int(3, 4),
        ]
        let graph = try OnnxImporter.load(bytes: model(graph([], more: .message(15, sparse)))).graph
        let error = try #require(throws: SardonyxError.self) { try graph.values[0].constant?.tensor() }
        #expect(error.code == .tensor && error.states("'s'", "got 12", "0 … 11"))
    }

    @Test func sparseBomb() throws {
        let sparse: Message = [
            .message(1, tensor("s", dims: [1], .bytes(9, little([5])))),
            .message(2, tensor("", dtype: 7, dims: [1], .bytes(7, [0]))), .int(3, 1 << 40),
        ]
        #expect(try failure(model(graph([], more: .message(15, sparse)))).code == .limit)
    }
}

@Suite struct TensorEncodingTests {
    static let fixture =
        String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
        + "/Fixtures/encodings.onnx"

    /// The fixture and its expected bytes come from the PyPI packages onnx and ml_dtypes.
    @Test func everyTypeReadsTheSameFromRawAndTypedFields() throws {
        let graph = try OnnxImporter.load(path: Self.fixture).graph
        var constants: [String: Constant] = [:]
        for value in graph.values { constants[value.name.string] = value.constant }
        var seen: Set<DType> = []
        for (name, constant) in constants where !name.hasSuffix("/expected") && constant.dtype != .string {
            let type = try #require(name.split(separator: "/").first)
            let expected: [UInt8] = try #require(constants["\(type)/expected"]).tensor().array()
            let actual = try constant.tensor().withUnsafeBytes { Array($0) }
            #expect(actual == expected, "\(name)")
            seen.insert(constant.dtype)
        }
        #expect(seen.count == DType.allCases.count - 1)
        let strings: [String] = try #require(constants["STRING/typed"]).tensor().array()
        #expect(strings == ["", "naïve", "🦊"])
    }

    @Test func packedPiecesAndSingleEntriesJoin() throws {
        let bytes = relu(
            tensor("w", dims: [4], .bytes(4, little([1, 2])), .fixed32(4, 3), .bytes(4, []), .bytes(4, little([4]))))
        let graph = try OnnxImporter.load(bytes: bytes).graph
        #expect(try graph.values[0].constant?.tensor().array() == [1, 2, 3, 4] as [Float])
    }

    @Test func sparseInitializersBecomeDense() throws {
        // [[0, 7, 0], [0, 0, 9]] by linear and by coordinate indices.
        for indices in [
            tensor("", dtype: 7, dims: [2], .bytes(7, [1, 5])),
            tensor("", dtype: 7, dims: [2, 2], .bytes(7, [0, 1, 1, 2])),
        ] {
            let sparse: Message = [
                .message(1, tensor("s", dims: [2], .bytes(9, little([7, 9])))), .message(2, indices), .int(3, 2),
                .int(3, 3),
            ]
            let constant = try #require(
                try OnnxImporter.load(bytes: model(graph([], more: .message(15, sparse)))).graph.values[0].constant)
            #expect(constant.shape.dims == [2, 3])
            #expect(try constant.tensor().array() == [0, 7, 0, 0, 0, 9] as [Float])
        }
    }

    @Test func largeTensorsStayInTheirSource() throws {
        let values = (0..<5000).map { Float($0) }
        let graph = try OnnxImporter.load(
            bytes: relu(
                tensor("small", dims: [2], .bytes(9, little([1, 2]))),
                tensor("large", dims: [5000], .bytes(9, little(values))))
        ).graph
        #expect(graph.values[0].constant?.isResident == true && graph.values[1].constant?.isResident == false)
        #expect(try graph.values[1].constant?.tensor().array() == values)
    }
}
