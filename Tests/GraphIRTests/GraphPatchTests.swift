import TensorCore
import Testing

@testable import GraphIR

/// A graph written as `output = Op(inputs)`; values are found by name.
struct GraphBuilder {
    var graph = Graph(name: "g")
    private var ids: [Name: ValueID] = [:]

    init(inputs: [Name]) { graph.inputs = inputs.map { self.id($0) } }

    mutating func id(_ name: Name) -> ValueID {
        if let id = ids[name] { return id }
        let id = graph.addValue(Value(name: name))
        ids[name] = id
        return id
    }

    mutating func node(_ opType: String, _ inputs: [Name], _ outputs: [Name], _ attributes: [String: Attribute] = [:]) {
        graph.nodes.append(
            Node(
                name: outputs.first ?? "", opType: opType, inputs: inputs.map { id($0) },
                outputs: outputs.map { id($0) },
                attributes: attributes))
    }

    mutating func returning(_ outputs: Name...) -> Graph {
        graph.outputs = outputs.map { id($0) }
        return graph
    }
}

extension Graph {
    /// For example `["a = Relu(x)", "return a"]`.
    var listing: [String] {
        nodes.map { node in
            let outputs = node.outputs.map { $0.map { "\(self[$0].name)" } ?? "_" }.joined(separator: ", ")
            let inputs = node.inputs.map { $0.map { "\(self[$0].name)" } ?? "_" }.joined(separator: ", ")
            return "\(outputs) = \(node.opType)(\(inputs))"
        } + ["return " + outputs.map { "\(self[$0].name)" }.joined(separator: ", ")]
    }
}

@Suite struct GraphPatchTests {
    @Test func removingIdentitiesFollowsChains() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Relu", ["x"], ["a"])
        builder.node("Identity", ["a"], ["b"])
        builder.node("Identity", ["b"], ["c"])
        builder.node("Neg", ["c"], ["y"])
        var graph = builder.returning("y")
        var patch = GraphPatch(graph)
        for index in [1, 2] {
            patch.replaceUses(
                of: try #require(graph.nodes[index].outputs[0]), with: try #require(graph.nodes[index].inputs[0]))
            patch.remove(index)
        }
        try patch.apply(to: &graph)
        try graph.validate()
        #expect(graph.listing == ["a = Relu(x)", "y = Neg(a)", "return y"])
    }

    @Test func outputsKeepTheirNames() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Relu", ["x"], ["a"])
        builder.node("Identity", ["a"], ["y"])
        builder.node("Identity", ["x"], ["z"])
        var graph = builder.returning("y", "z")
        var patch = GraphPatch(graph)
        for index in [1, 2] {
            patch.replaceUses(
                of: try #require(graph.nodes[index].outputs[0]), with: try #require(graph.nodes[index].inputs[0]))
            patch.remove(index)
        }
        try patch.apply(to: &graph)
        try graph.validate()
        #expect(graph.listing == ["y = Relu(x)", "z = Identity(x)", "return y, z"])
    }

    @Test func fusionReplacesTwoNodesByOne() throws {
        var builder = GraphBuilder(inputs: ["x", "w"])
        builder.node("Conv", ["x", "w"], ["a"])
        builder.node("Relu", ["a"], ["b"])
        builder.node("Add", ["b", "x"], ["y"])
        var graph = builder.returning("y")
        let relu = graph.nodes[1].outputs
        var patch = GraphPatch(graph)
        patch.change(0) {
            $0.opType = "ConvRelu"
            $0.outputs = relu
        }
        patch.remove(1)
        try patch.apply(to: &graph)
        try graph.validate()
        #expect(graph.listing == ["b = ConvRelu(x, w)", "y = Add(b, x)", "return y"])
    }

    @Test func insertedNodesReadWhatTheyReplaceAndOrderIsRestored() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Relu", ["x"], ["a"])
        builder.node("Neg", ["a"], ["y"])
        var graph = builder.returning("y")
        let a = try #require(graph.nodes[0].outputs[0])
        var patch = GraphPatch(graph)
        let packed = patch.addValue(Value(name: "a"))
        patch.insert(Node(name: "r", opType: "Reorder", inputs: [a], outputs: [packed]), before: 2)
        patch.replaceUses(of: a, with: packed)
        try patch.apply(to: &graph)
        try graph.validate()
        #expect(graph.listing == ["a = Relu(x)", "a#1 = Reorder(a)", "y = Neg(a#1)", "return y"])
    }

    @Test func foldedValuesLoseTheirProducers() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Shape", ["x"], ["s"])
        builder.node("Reshape", ["x", "s"], ["y"])
        var graph = builder.returning("y")
        var patch = GraphPatch(graph)
        patch.setConstant(try #require(graph.nodes[0].outputs[0]), Constant(try Tensor([Int64(4)], dims: [1])))
        try patch.apply(to: &graph)
        try graph.validate()
        #expect(graph.listing == ["y = Reshape(x, s)", "return y"])
    }

    @Test func capturesFollowReplacements() throws {
        var inner = GraphBuilder(inputs: [])
        inner.node("Neg", ["b"], ["a"])
        inner.graph.captures = [inner.id("b")]
        var builder = GraphBuilder(inputs: ["x", "c"])
        builder.node("Relu", ["x"], ["a"])
        builder.node("Identity", ["a"], ["b"])
        builder.node("If", ["c"], ["y"], ["then_branch": .graph(inner.returning("a"))])
        var graph = builder.returning("y")
        var patch = GraphPatch(graph)
        patch.replaceUses(of: try #require(graph.nodes[1].outputs[0]), with: try #require(graph.nodes[1].inputs[0]))
        patch.remove(1)
        try patch.apply(to: &graph)
        try graph.validate()
        // The branch's own `a` steps aside for the one it now captures.
        #expect(graph.nodes[1].subgraphs[0].listing == ["a#1 = Neg(a)", "return a#1"])
        #expect(graph.consumers()[graph.nodes[0].outputs[0]?.index ?? -1] == [1])
    }

    @Test func circularReplacementIsAnError() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Relu", ["x"], ["a"])
        builder.node("Neg", ["a"], ["b"])
        var graph = builder.returning("b")
        var patch = GraphPatch(graph)
        patch.replaceUses(of: builder.id("a"), with: builder.id("b"))
        patch.replaceUses(of: builder.id("b"), with: builder.id("a"))
        #expect(throws: SardonyxError.self) { try patch.apply(to: &graph) }
    }

    @Test func deadNodesGoAndValuesCompact() throws {
        var builder = GraphBuilder(inputs: ["x"])
        builder.node("Relu", ["x"], ["dead"])
        builder.node("Neg", ["dead"], ["deader"])
        builder.node("Abs", ["x"], ["y"])
        var graph = builder.returning("y")
        #expect(graph.removeDeadCode() == 2)
        graph.compactValues()
        try graph.validate()
        #expect(graph.values.map(\.name) == ["x", "y"])
        #expect(graph.listing == ["y = Abs(x)", "return y"])
    }
}
