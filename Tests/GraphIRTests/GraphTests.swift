import TensorCore
import Testing

@testable import GraphIR

@Suite struct GraphTests {
    @Test func sortingKeepsTheOrderOfWhatIsSorted() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Neg", ["b"], ["y"])
        builder.node("Abs", ["x"], ["c"])
        builder.node("Relu", ["x"], ["b"])
        var graph = builder.returning("y", "c")
        try graph.sortTopologically()
        try graph.validate()
        #expect(graph.listing == ["b = Relu(x)", "y = Neg(b)", "c = Abs(x)", "return y, c"])
    }

    @Test func cycleIsNamed() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Add", ["x", "b"], ["a"])
        builder.node("Relu", ["a"], ["b"])
        var graph = builder.returning("b")
        let error = try #require(throws: SardonyxError.self) { try graph.sortTopologically() }
        #expect(error.code == .graph)
        #expect(error.message.contains("Add 'a' → Relu 'b' → Add 'a'"))
    }

    @Test(arguments: ["twice", "unmade", "capture", "name"])
    func brokenInvariantsAreFound(_ fault: String) throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Relu", ["x"], ["a"])
        var graph = builder.returning("a")
        switch fault {
        case "twice": graph.nodes.append(graph.nodes[0])
        case "unmade": graph.nodes[0].inputs = [graph.addValue(Value(name: "nowhere"))]
        case "capture": graph.captures = [graph.addValue(Value(name: "outside"))]
        default: graph[ValueID(1)].name = "x"
        }
        let error = try #require(throws: SardonyxError.self) { try graph.validate() }
        #expect(error.code == .internal)
    }

    @Test func closestNameIsWithinAThirdOfTheLength() {
        let names: [Name] = ["conv1.weight", "conv2.bias", "fc"]
        #expect(ClosestName.of("conv1.wieght", among: names) == "conv1.weight")
        #expect(ClosestName.of("elephant", among: names) == nil)
    }
}

@Suite struct InliningTests {
    /// `twice(p, q) = Add(Relu(p), q), p` with an attribute reference.
    private func function(named name: String, calling inner: String) -> Function {
        var body = GraphBuilder(inputs: ["p", "q"])
        body.node(inner, ["p"], ["t"], ["alpha": .reference("slope"), "beta": .reference("missing")])
        body.node("Add", ["t", "q"], ["r"])
        return Function(
            domain: "", name: name, overload: "", body: body.returning("r", "p"), attributeNames: ["slope"],
            attributeDefaults: [:], opsets: ["": 18])
    }

    @Test func bodiesReplaceCalls() throws {
        var builder = GraphBuilder(inputs: ["x", "t"])
        builder.node("twice", ["x", "t"], ["y", "z"], ["slope": .float(0.5)])
        var model = ModelGraph(graph: builder.returning("y", "z"), irVersion: 10, opsets: ["": 18])
        model.functions = [function(named: "twice", calling: "LeakyRelu")]
        try model.inlineFunctions()
        try model.graph.validate()
        #expect(
            model.graph.listing == [
                "y/t = LeakyRelu(x)", "y = Add(y/t, t)", "z = Identity(x)", "return y, z",
            ])
        guard case .float(0.5) = model.graph.nodes[0].attributes["alpha"] else {
            Issue.record("the reference was not resolved")
            return
        }
        #expect(model.graph.nodes[0].attributes["beta"] == nil)
    }

    @Test func recursionIsNamed() throws {
        var model = ModelGraph(graph: Graph(), irVersion: 10, opsets: ["": 18])
        model.functions = [function(named: "f", calling: "g"), function(named: "g", calling: "f")]
        let error = try #require(throws: SardonyxError.self) { try model.inlineFunctions() }
        #expect(error.code == .graph)
        #expect(error.message.contains("f → g → f"))
    }

    @Test func exponentialCallsAreRefused() throws {
        var model = ModelGraph(graph: Graph(), irVersion: 10, opsets: ["": 18])
        for level in 0..<40 {
            var body = GraphBuilder(inputs: ["p"])
            let callee = level == 0 ? "Relu" : "f\(level - 1)"
            body.node(callee, ["p"], ["a"])
            body.node(callee, ["a"], ["b"])
            model.functions.append(
                Function(
                    domain: "", name: "f\(level)", overload: "", body: body.returning("b"), attributeNames: [],
                    attributeDefaults: [:], opsets: ["": 18]))
        }
        let error = try #require(throws: SardonyxError.self) { try model.inlineFunctions() }
        #expect(error.code == .limit)
    }
}
