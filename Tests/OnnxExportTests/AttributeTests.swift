import GraphIR
import OnnxExport
import OnnxImport
import TensorCore
import Testing

/// What is written reads back as it was; `tools/check-graph-tools` holds the files against the onnx package.
@Suite struct AttributeTests {
    /// A model of one node of an unknown operator with these attributes.
    static func model(_ attributes: [String: Attribute]) throws -> ModelGraph {
        var graph = Graph(name: "g")
        let type = ValueType.tensor(.float32, [.symbol("N"), .known(3), .unknown])
        let x = graph.addValue(Value(name: "x", type: type))
        let y = graph.addValue(Value(name: "y", type: type))
        graph.inputs = [x]
        graph.outputs = [y]
        graph.nodes = [
            Node(name: "n", domain: "test", opType: "Op", inputs: [x, nil, x], outputs: [y], attributes: attributes)
        ]
        return ModelGraph(graph: graph, irVersion: 10, opsets: ["": 21, "test": 1])
    }

    static func readAgain(_ model: ModelGraph) throws -> ModelGraph {
        try OnnxImporter.load(bytes: try OnnxExporter.bytes(of: model))
    }

    private func attribute(_ attribute: Attribute) throws -> Attribute {
        let node = try #require(try Self.readAgain(try Self.model(["a": attribute])).graph.nodes.first)
        return try #require(node.attributes["a"])
    }

    @Test func numbersAndStrings() throws {
        let model = try Self.model([
            "int": .int(-5), "float": .float(-0.1), "string": .string([0xff, 0, 0x61]), "ints": .ints([1, -1, .max]),
            "floats": .floats([.infinity, 1e-42]), "strings": .strings([[], Array("ü".utf8)]), "none": .ints([]),
        ])
        let read = try #require(try Self.readAgain(model).graph.nodes.first).attributes
        guard case .int(-5)? = read["int"], case .float(let float)? = read["float"],
            case .string([0xff, 0, 0x61])? = read["string"], case .ints([1, -1, .max])? = read["ints"],
            case .floats([.infinity, 1e-42])? = read["floats"], case .strings(let strings)? = read["strings"],
            case .ints([])? = read["none"]
        else {
            Issue.record("\(read)")
            return
        }
        #expect(float.bitPattern == Float(-0.1).bitPattern && strings == [[], [0xc3, 0xbc]])
        #expect(read.count == 7)
    }

    @Test func tensors() throws {
        let a = Constant(try Tensor([1, 2, 3, 4] as [Float], dims: [2, 2]))
        let b = Constant(try Tensor(["", "é"], dims: [2]))
        guard case .tensor(let read) = try attribute(.tensor(a)),
            case .tensors(let list) = try attribute(.tensors([a, b]))
        else {
            Issue.record("no tensors")
            return
        }
        #expect(try read.tensor().array() == [1, 2, 3, 4] as [Float] && read.shape.dims == [2, 2])
        #expect(list.count == 2)
        #expect(try list[1].tensor().array() == ["", "é"])
    }

    @Test func sparseTensors() throws {
        let sparse = SparseConstant(
            shape: try Shape([3, 4]), values: Constant(try Tensor([7, 9] as [Float], dims: [2])),
            indices: Constant(try Tensor([1, 11] as [Int64], dims: [2])))
        guard case .sparseTensor(let read) = try attribute(.sparseTensor(sparse)),
            case .sparseTensors(let list) = try attribute(.sparseTensors([sparse, sparse]))
        else {
            Issue.record("no sparse tensors")
            return
        }
        #expect(read.shape.dims == [3, 4] && list.count == 2)
        #expect(try read.values.tensor().array() == [7, 9] as [Float])
        #expect(try list[1].indices.tensor().array() == [1, 11] as [Int64])
    }

    @Test func types() throws {
        let types: [ValueType] = [
            .tensor(.bfloat16, nil), .tensor(.int4, []), .tensor(.bool, [.known(0), .symbol("é"), .unknown]),
            .sparseTensor(.float64, [.known(2)]), .sequence(.tensor(.string, nil)),
            .optional(.sequence(.tensor(.int8, [.unknown]))), .map(key: .int64, value: .tensor(.float32, [])),
        ]
        guard case .types(let read) = try attribute(.types(types)), case .type(let one) = try attribute(.type(types[5]))
        else {
            Issue.record("no types")
            return
        }
        #expect(read == types && one == types[5])
    }

    @Test func inputsTypesAndMetadata() throws {
        var model = try Self.model([:])
        model.metadata = [("k", "v"), ("k", ""), ("", "w")]
        (model.producer, model.producerVersion, model.domain, model.version) = ("p", "1", "d", 7)
        model.documentation = "words"
        let read = try Self.readAgain(model)
        #expect(read.metadata.map(\.key) == ["k", "k", ""] && read.metadata.map(\.value) == ["v", "", "w"])
        #expect([read.producer, read.producerVersion, read.domain, read.documentation] == ["p", "1", "d", "words"])
        #expect(read.version == 7 && read.irVersion == 10 && read.opsets == ["": 21, "test": 1])
        let node = try #require(read.graph.nodes.first)
        #expect(node.name == "n" && node.domain == "test" && node.inputs.map { $0 != nil } == [true, false, true])
        #expect(read.graph[read.graph.inputs[0]].type == model.graph.values[0].type)
    }

    /// Initializers without inputs of their names need version 4, opset 21 came with version 10 (ONNX releases).
    @Test func formatVersions() throws {
        var model = try Self.model([:])
        for (given, opset, wanted) in [(3, 7, 4), (3, 21, 10), (12, 13, 12), (8, 17, 8)] {
            model.irVersion = given
            model.opsets = ["": opset, "test": 1]
            #expect(try Self.readAgain(model).irVersion == wanted)
        }
    }

    @Test func internalOperatorsAreRefused() throws {
        var model = try Self.model([:])
        model.graph.nodes[0].domain = Domains.internal
        let error = #expect(throws: SardonyxError.self) { try OnnxExporter.bytes(of: model) }
        #expect(error?.code == .internal)
    }
}
