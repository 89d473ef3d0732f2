import GraphIR
import OnnxExport
import OnnxImport
import TensorCore
import Testing

@Suite struct SubgraphTests {
    private static let type = ValueType.tensor(.float32, [.known(1)])

    /// y = If(c) { Add(x, w) } else { If(c) { hides } else { x } }, where the inner branch has a value of its own named
    /// `w`, as the outer graph has.
    private static func model() throws -> ModelGraph {
        func branch(_ name: Name, _ captures: [Name], _ build: (inout Graph, [ValueID]) -> ValueID) -> Graph {
            var graph = Graph(name: name)
            graph.captures = captures.map { graph.addValue(Value(name: $0, type: type)) }
            graph.outputs = [build(&graph, graph.captures)]
            return graph
        }
        func node(_ op: String, _ inputs: [ValueID], _ output: ValueID, _ attributes: [String: Attribute] = [:]) -> Node
        {
            Node(name: "same", opType: op, inputs: inputs, outputs: [output], attributes: attributes)
        }
        let add = branch("add", ["x", "w"]) { graph, captured in
            let sum = graph.addValue(Value(name: "sum"))
            graph.nodes = [node("Add", captured, sum)]
            return sum
        }
        let hides = branch("hides", ["x"]) { graph, captured in
            let w = graph.addValue(Value(name: "w"))
            graph.nodes = [node("Neg", captured, w)]
            return w
        }
        let plain = branch("plain", ["x"]) { graph, captured in
            let sum = graph.addValue(Value(name: "same"))
            graph.nodes = [node("Identity", captured, sum)]
            return sum
        }
        let deep = branch("deep", ["c", "x"]) { graph, captured in
            let result = graph.addValue(Value(name: "deep"))
            graph.nodes = [
                node("If", [captured[0]], result, ["then_branch": .graph(hides), "else_branch": .graph(plain)])
            ]
            return result
        }
        var graph = Graph(name: "main")
        let c = graph.addValue(Value(name: "c", type: .tensor(.bool, [])))
        let x = graph.addValue(Value(name: "x", type: type))
        _ = graph.addValue(Value(name: "w", constant: Constant(try Tensor([2] as [Float], dims: [1]))))
        let y = graph.addValue(Value(name: "y", type: type))
        let z = graph.addValue(Value(name: "z", type: type))
        graph.inputs = [c, x]
        graph.outputs = [z]
        graph.nodes = [
            node("If", [c], y, ["then_branch": .graph(add), "else_branch": .graph(deep)]), node("Neg", [y], z),
        ]
        return ModelGraph(graph: graph, irVersion: 8, opsets: ["": 17])
    }

    private func branch(_ node: Node, _ name: String) throws -> Graph {
        guard case .graph(let graph)? = node.attributes[name] else { throw SardonyxError(.graph, name, "is missing") }
        return graph
    }

    @Test func namesMeanOneThing() throws {
        let read = try AttributeTests.readAgain(try Self.model())
        try read.graph.validate()
        // Of equal names of nodes the second gets a number.
        #expect(read.graph.nodes.map(\.name) == ["same", "same#1"])
        let add = try branch(read.graph.nodes[0], "then_branch")
        #expect(Set(add.captures.map { add[$0].name }) == ["x", "w"])
        let deep = try branch(read.graph.nodes[0], "else_branch")
        let hides = try branch(deep.nodes[0], "then_branch")
        #expect(hides.captures.map { hides[$0].name } == ["x"])
        #expect(hides[hides.outputs[0]].name == "w#1")
        #expect(deep[deep.outputs[0]].name == "deep")
    }

    @Test func closingAndOpeningAgainChangesNothing() throws {
        let model = try Self.model()
        var other = model
        other.graph.closeSubgraphs()
        #expect(other.graph.nodes[0].captureCount == 3)
        other.graph.reopenSubgraphs()
        other.graph.removeDeadCode()
        try other.graph.validate()
        let add = try branch(other.graph.nodes[0], "then_branch")
        #expect(add.inputs.isEmpty && Set(add.captures.map { add[$0].name }) == ["x", "w"])
        #expect(try OnnxExporter.bytes(of: other).count == OnnxExporter.bytes(of: model).count)
    }

    /// f(a; k) = LeakyRelu(a, alpha: k), called twice, once with the default.
    @Test func functions() throws {
        var body = Graph(name: "f")
        let (a, b) = (body.addValue(Value(name: "a")), body.addValue(Value(name: "b")))
        (body.inputs, body.outputs) = ([a], [b])
        body.nodes = [
            Node(name: "l", opType: "LeakyRelu", inputs: [a], outputs: [b], attributes: ["alpha": .reference("k")])
        ]
        let function = Function(
            domain: "local", name: "f", overload: "", body: body, attributeNames: [],
            attributeDefaults: ["k": .float(0.5)], opsets: ["": 17])
        var graph = Graph(name: "main")
        let ids = ["x", "y", "z"].map { graph.addValue(Value(name: Name($0), type: Self.type)) }
        (graph.inputs, graph.outputs) = ([ids[0]], [ids[2]])
        graph.nodes = [
            Node(name: "1", domain: "local", opType: "f", inputs: [ids[0]], outputs: [ids[1]]),
            Node(
                name: "2", domain: "local", opType: "f", inputs: [ids[1]], outputs: [ids[2]],
                attributes: ["k": .float(2)]),
        ]
        var model = ModelGraph(graph: graph, irVersion: 7, opsets: ["": 17, "local": 1])
        model.functions = [function]
        let read = try AttributeTests.readAgain(model)
        #expect(read.irVersion == 8 && read.functions.map(\.name) == ["f"])
        let slopes = read.graph.nodes.map { node -> Float in
            if case .float(let slope)? = node.attributes["alpha"] { slope } else { .nan }
        }
        #expect(slopes == [0.5, 2] && read.graph.nodes.allSatisfy { $0.opType == "LeakyRelu" })
        // Inlined, nothing calls it any more.
        #expect(try AttributeTests.readAgain(read).functions.isEmpty)
    }

    @Test func extractionKeepsControlFlowWhole() throws {
        let model = try Self.model()
        let (part, unread) = try model.extracted(from: ["x", "c"], to: ["y"])
        #expect(part.graph.nodes.map(\.opType) == ["If"] && unread.isEmpty)
        #expect(part.graph.inputs.map { part.graph[$0].name } == ["x", "c"])
        #expect(part.graph.values.contains { $0.name == "w" && $0.constant != nil })
        try part.graph.validate()
        let end = try model.extracted(from: ["y"], to: ["z"]).model
        #expect(end.graph.nodes.map(\.opType) == ["Neg"] && end.graph.values.count == 2)
        // A constant that a branch captures becomes an input.
        #expect(try model.extracted(from: ["w", "x", "c"], to: ["y"]).model.graph.inputs.count == 3)
    }

    @Test func extractionErrors() throws {
        let model = try Self.model()
        func message(_ from: [Name], _ to: [Name]) -> String {
            do throws(SardonyxError) {
                _ = try model.extracted(from: from, to: to)
                return ""
            } catch { return error.description }
        }
        #expect(message(["x"], ["z"]).contains("still needed: 'c' bool[]"))
        #expect(message(["yy"], ["z"]).contains("The closest name is 'y'"))
        #expect(message(["sum"], ["z"]).contains("inside a subgraph"))
        #expect(message([], ["x"]).contains("an input of the model"))
        #expect(throws: SardonyxError.self) { try model.extracted(node: "same") }
    }
}
