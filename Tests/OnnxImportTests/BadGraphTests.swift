import GraphIR
import TensorCore
import TestSupport
import Testing

@testable import OnnxImport

@Suite struct BadGraphTests {
    @Test func undefinedInput() throws {
        let error = try failure(
            model(graph([node("Add", ["features", "featuers"], ["y"])], inputs: ["features"], outputs: ["y"])))
        #expect(
            error.code == .graph && error.states("node 0 Add", "input 1", "'featuers'", "closest name is 'features'"))
    }

    @Test func undefinedOutput() throws {
        let error = try failure(model(graph([node("Relu", ["x"], ["y"])], inputs: ["x"], outputs: ["zz"])))
        #expect(error.code == .graph && error.states("output 0", "'zz'"))
    }

    @Test func cyclesNameAtMostEightNodes() throws {
        let nodes = (0..<12).map { node("Relu", ["v\($0)"], ["v\(($0 + 1) % 12)"], .text(3, "n\($0)")) }
        let error = try failure(model(graph(nodes, outputs: ["v0"])))
        #expect(error.code == .graph && error.states("cycle of 12 nodes", "Relu 'n0'", "4 more"))
        #expect(error.message.split(separator: "→").count == 9)
    }

    @Test func outputDefinedTwice() throws {
        let error = try failure(
            model(graph([node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])], inputs: ["x"], outputs: ["y"])))
        #expect(error.code == .graph && error.states("'y'", "node 0 Relu", "node 1 Neg"))
    }

    @Test func duplicateInitializer() throws {
        let error = try failure(relu(zeros("w", 1), zeros("w", 1)))
        #expect(error.code == .graph && error.states("'w'", "initializer 0", "initializer 1"))
    }

    @Test(
        arguments: [([0x6e, 0x00, 0x61], "n\\x00a", "NUL"), ([0x6e, 0xff], "n\\xff", "not UTF-8")]
            as [([UInt8], String, String)])
    func badNames(_ name: [UInt8], _ escaped: String, _ reason: String) throws {
        let bad: Message = [.text(1, "x"), .bytes(2, name), .text(4, "Relu")]
        let error = try failure(model(graph([bad], inputs: ["x"])))
        #expect(error.code == .graph && error.states(escaped, reason))
    }

    @Test func composedAndDecomposedNamesAreTwo() throws {
        let model = try OnnxImporter.load(
            bytes: model(
                graph(
                    [
                        node("Relu", ["x"], ["\u{e9}"]), node("Neg", ["x"], ["e\u{301}"]),
                        node("Add", ["\u{e9}", "e\u{301}"], ["y"]),
                    ],
                    inputs: ["x"], outputs: ["y"])))
        #expect(model.graph.values.count == 4)
    }

    @Test func selfCallingFunction() throws {
        let function: Message = [
            .text(1, "f"), .text(10, "d"), .text(4, "a"), .text(5, "b"),
            .message(7, node("f", ["a"], ["b"], .text(7, "d"))),
            .message(9, .int(2, 18)),
        ]
        let error = try failure(
            model(
                graph([node("f", ["x"], ["y"], .text(7, "d"))], inputs: ["x"], outputs: ["y"]),
                more: .message(25, function)))
        #expect(error.code == .graph && error.states("d.f → d.f"))
    }

    /// `depth` nested Ifs whose innermost branch hands a value of the outermost graph through.
    private func nested(_ depth: Int) -> [UInt8] {
        func bare(_ nodes: [Message]) -> Message {
            nodes.reduce([]) { $0 + .message(1, $1) } + .message(12, .text(1, "y"))
        }
        var inner = bare([node("Identity", ["x"], ["y"])])
        for _ in 1..<depth { inner = bare([node("If", ["c"], ["y"], graphAttribute("then_branch", inner))]) }
        return model(
            graph([node("If", ["c"], ["y"], graphAttribute("then_branch", inner))], inputs: ["c", "x"], outputs: ["y"]))
    }

    @Test func subgraphsNestThirtyTwoDeep() throws {
        let model = try OnnxImporter.load(bytes: nested(32))
        try model.graph.validate()
        let error = try failure(nested(33))
        #expect(error.code == .limit && error.states("subgraph depth", "got 33, allowed 32"))
    }

    @Test func missingOperatorSet() throws {
        let error = try failure(
            model(graph([node("Relu", ["x"], ["y"], .text(7, "com.example"))], inputs: ["x"], outputs: ["y"])))
        #expect(error.code == .graph && error.states("com.example", "opset_import"))
    }

    @Test func attributesOutOfPlace() throws {
        let twice: Message = [
            .message(5, [.text(1, "a"), .int(20, 2), .int(3, 1)]),
            .message(5, [.text(1, "a"), .int(20, 2), .int(3, 2)]),
        ]
        #expect(
            try failure(model(graph([node("Relu", ["x"], ["y"], twice)], inputs: ["x"]))).states(
                "graph:", "attribute 'a'", "given twice"))
        let reference: Message = .message(5, [.text(1, "a"), .text(21, "b")])
        #expect(
            try failure(model(graph([node("Relu", ["x"], ["y"], reference)], inputs: ["x"]))).states(
                "graph:", "outside a function"))
        let kind: Message = .message(5, [.text(1, "a"), .int(20, 77)])
        #expect(
            try failure(model(graph([node("Relu", ["x"], ["y"], kind)], inputs: ["x"]))).states(
                "unsupported:", "got 77"))
    }
}

@Suite struct GraphImportTests {
    @Test func unsortedNodesAreSorted() throws {
        let model = try OnnxImporter.load(
            bytes: model(graph([node("Neg", ["a"], ["y"]), node("Relu", ["x"], ["a"])], inputs: ["x"], outputs: ["y"])))
        #expect(model.graph.nodes.map(\.opType) == ["Relu", "Neg"])
    }

    @Test func initializersThatAreInputsAreConstants() throws {
        let bytes = model(
            graph(
                [node("Add", ["x", "w"], ["y"])], inputs: ["x", "w"], outputs: ["y"], initializers: [zeros("w", 1)]),
            ir: 3)
        let graph = try OnnxImporter.load(bytes: bytes).graph
        #expect(graph.inputs.map { graph[$0].name } == ["x"])
    }

    @Test func subgraphsCaptureThroughEveryLevel() throws {
        let inner = graph([node("Add", ["x", "w"], ["z"])], outputs: ["z"])
        let middle = graph([node("If", ["c"], ["z"], graphAttribute("then_branch", inner))], outputs: ["z"])
        let bytes = model(
            graph(
                [node("If", ["c"], ["y"], graphAttribute("then_branch", middle))], inputs: ["c", "x"], outputs: ["y"],
                initializers: [zeros("w", 1)]))
        let outer = try OnnxImporter.load(bytes: bytes).graph
        try outer.validate()
        let sub = try #require(outer.nodes[0].subgraphs.first)
        #expect(Set(sub.captures.map { sub[$0].name }) == ["c", "x", "w"])
        #expect(outer.consumers().map(\.count) == outer.values.map { $0.name == "c" ? 2 : $0.name == "y" ? 0 : 1 })
    }

    @Test func functionsAreInlined() throws {
        let function: Message = [
            .text(1, "Twice"), .text(10, "d"), .text(4, "a"), .text(5, "b"), .text(6, "slope"),
            .message(
                7, node("LeakyRelu", ["a"], ["t"], .message(5, [.text(1, "alpha"), .text(21, "slope"), .int(20, 1)]))),
            .message(7, node("Add", ["t", "t"], ["b"])), .message(9, .int(2, 18)),
        ]
        let call = node(
            "Twice", ["x"], ["y"], .text(7, "d") + .message(5, [.text(1, "slope"), .fixed32(2, 0.25), .int(20, 1)]))
        let model = try OnnxImporter.load(
            bytes: model(
                graph([call], inputs: ["x"], outputs: ["y"]),
                more: .message(25, function) + .message(8, [.text(1, "d"), .int(2, 1)])))
        try model.graph.validate()
        #expect(model.graph.nodes.map(\.opType) == ["LeakyRelu", "Add"])
        #expect(model.functions.count == 1)
        guard case .float(0.25)? = model.graph.nodes[0].attributes["alpha"] else {
            Issue.record("the attribute did not reach the body")
            return
        }
    }

    @Test func metadataAndTypesAreKept() throws {
        let shape: Message = [.message(1, .text(2, "N")), .message(1, .int(1, 3)), .message(1, [])]
        let input: Message = [.text(1, "x"), .message(2, .message(1, [.int(1, 10), .message(2, shape)]))]
        let model = try OnnxImporter.load(
            bytes: model(
                graph([node("Relu", ["x"], ["y"])], outputs: ["y"], more: .message(11, input)),
                more: [.text(2, "pytorch"), .message(14, [.text(1, "card"), .text(2, "{}")])]))
        #expect(model.producer == "pytorch" && model.metadata.map(\.key) == ["card"] && model.opsets == ["": 18])
        #expect(model.graph[model.graph.inputs[0]].type == .tensor(.float16, [.symbol("N"), .known(3), .unknown]))
    }
}
