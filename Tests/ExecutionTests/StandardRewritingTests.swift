import GraphIR
import Operators
import TensorCore
import Testing

@testable import Execution
@testable import Passes

/// Rewriting of the bodies of control flow: n rounds of v ← (v + (k + k)) · x, with Identities in between.
@Suite struct StandardRewritingTests {
    private static func loop() throws -> ModelGraph {
        let pair = ValueType.tensor(.float32, [.known(2)])
        var body = GraphBuilder()
        _ = body.input("round", [], .int64)
        let going = body.input("going", [], .bool)
        let v = body.input("v", [.known(2)])
        let x = body.graph.addValue(Value(name: "x", type: pair))
        body.graph.captures = [x]
        let tensor = Constant(try Tensor([1, 10] as [Float], dims: [2]))
        let k = body.node("Constant", [], ["value": .tensor(tensor)])
        let twice = body.node("Add", [k, k])
        let same = body.node("Identity", [v])
        let product = body.node("Mul", [body.node("Add", [same, twice]), x])
        body.output(body.node("Identity", [going]))
        body.output(body.node("Identity", [product]))

        var graph = GraphBuilder()
        let n = graph.input("n", [], .int64)
        _ = graph.input("x", [.known(2)])
        let zero = try graph.constant("zero", [0, 0] as [Float], [2])
        let result = graph.node("Loop", [n, nil, zero], ["body": .graph(body.graph)])
        graph.output(result)
        return graph.model()
    }

    /// y = If(c) { x + Identity(x) } else { Identity(x) · [1, 2, 3] }, of which x, a pair, takes the first alone.
    private static func choice() throws -> ModelGraph {
        func branch(_ build: (inout GraphBuilder, ValueID) throws -> ValueID) throws -> Attribute {
            var branch = GraphBuilder()
            let x = branch.graph.addValue(Value(name: "x"))
            branch.graph.captures = [x]
            branch.output(try build(&branch, x))
            return .graph(branch.graph)
        }
        let fits = try branch { $0.node("Add", [$1, $0.node("Identity", [$1])]) }
        let other = try branch { builder, x in
            let factors = try builder.constant("factors", [1, 2, 3] as [Float], [3])
            return builder.node("Mul", [builder.node("Identity", [x]), factors])
        }
        var graph = GraphBuilder()
        let condition = graph.input("c", [], .bool)
        _ = graph.input("x", [.known(2)])
        graph.output(graph.node("If", [condition], ["then_branch": fits, "else_branch": other]))
        return graph.model()
    }

    private static func rewritten(_ original: ModelGraph, disabled: Set<String> = []) throws -> ModelGraph {
        var model = original
        let rewriting = StandardRewriting(disabled: disabled, largestGrowth: 0, evaluator: Evaluator())
        #expect(try rewriting.run(on: &model).isEmpty)
        return model
    }

    private static func body(_ model: ModelGraph, _ name: String = "body") throws -> Graph {
        guard case .graph(let body)? = model.graph.nodes.first?.attributes[name] else {
            throw SardonyxError(.graph, name, "is missing")
        }
        return body
    }

    @Test func bodiesAreFoldedAndKeepTheirInterface() throws {
        let body = try Self.body(try Self.rewritten(try Self.loop()))
        // The condition is an input that the body may not return without a node.
        #expect(body.nodes.map(\.opType).sorted() == ["Add", "Identity", "Mul"])
        #expect(body.inputs.map { body[$0].type?.shape?.rank } == [0, 0, 1] && body.outputs.count == 2)
        #expect(body.captures.map { body[$0].name } == ["x"])
        let sum = try #require(body.nodes.first { $0.opType == "Add" })
        let folded = try #require(sum.inputs.compactMap { $0.flatMap { body[$0].constant } }.first)
        #expect(try folded.tensor().array() == [2, 20] as [Float])
    }

    @Test func passesCanBeLeftOutInBodies() throws {
        let body = try Self.body(
            try Self.rewritten(try Self.loop(), disabled: [FoldConstants.name, MergeDuplicates.name]))
        #expect(body.nodes.map(\.opType).sorted() == ["Add", "Add", "Constant", "Identity", "Mul"])
    }

    @Test func branchesThatDoNotFitStay() throws {
        let model = try Self.rewritten(try Self.choice())
        let (fits, other) = (try Self.body(model, "then_branch"), try Self.body(model, "else_branch"))
        #expect(fits.nodes.map(\.opType) == ["Add"])
        #expect(other.nodes.map(\.opType) == ["Identity", "Mul"])
        // Another caller may take the other branch: nothing that was inferred here is declared.
        #expect(fits.values.allSatisfy { $0.type == nil })
    }

    /// Two equal constants become one, which the branch then captures once.
    @Test func capturesOfEqualConstantsBecomeOne() throws {
        var branch = GraphBuilder()
        let captured = ["v", "w", "x"].map { branch.graph.addValue(Value(name: Name($0))) }
        branch.graph.captures = captured
        branch.output(branch.node("Sum", captured))
        var graph = GraphBuilder()
        let condition = graph.input("c", [], .bool)
        _ = graph.input("x", [.known(2)])
        for name in ["v", "w"] { _ = try graph.constant(name, [3, 4] as [Float], [2]) }
        let body = Attribute.graph(branch.graph)
        graph.output(graph.node("If", [condition], ["then_branch": body, "else_branch": body]))
        let model = try Self.rewritten(graph.model())
        #expect(try Self.body(model, "then_branch").captures.count == 2)
        let feeds = [try Tensor([true] as [Bool], dims: []), try Tensor([1, 2] as [Float], dims: [2])]
        let outputs = try GraphExecutor(model, options: ExecutionOptions(threads: 1)).run(feeds)
        #expect(try outputs[0].array() == [7, 10] as [Float])
    }

    @Test func theyComputeTheSame() throws {
        let feeds = [
            try Tensor([2] as [Int64], dims: []), try Tensor([3, 0.5] as [Float], dims: [2]),
        ]
        for model in [try Self.loop(), try Self.rewritten(try Self.loop())] {
            let outputs = try GraphExecutor(model, options: ExecutionOptions(threads: 1)).run(feeds)
            // ((0 + 2) · 3 + 2) · 3 and ((0 + 20) / 2 + 20) / 2
            #expect(try outputs[0].array() == [24, 15] as [Float])
        }
    }
}
