import GraphIR
import TensorCore
import Testing

@testable import Execution
@testable import Passes

/// Chains that become one node, branches that are always taken, and what becomes an operator of the standard.
@Suite struct GraphSimplificationTests {
    private static func ints(_ builder: inout GraphBuilder, _ values: [Int64]) throws -> ValueID {
        try builder.constant("c\(builder.graph.values.count)", values, [values.count])
    }

    /// A chain of nodes with one parameter each on an input `[rows, 3, 1, 4]`, and what is left of it.
    private static func chain(_ steps: [(name: String, parameter: [Int64])]) throws -> [String] {
        var builder = GraphBuilder()
        let x = builder.input("x", [.symbol("rows"), .known(3), .known(1), .known(4)])
        var value = builder.node("Neg", [x])
        for (name, parameter) in steps {
            if name == "Transpose" {
                value = builder.node(name, [value], ["perm": .ints(parameter.map { Int($0) })])
            } else if name == "Flatten" {
                value = builder.node(name, [value], ["axis": .int(Int(parameter[0]))])
            } else {
                value = builder.node(name, [value, try ints(&builder, parameter)])
            }
        }
        builder.output(builder.node("Neg", [value]))
        let feed = try Tensor(noise(24, seed: 1), dims: [2, 3, 1, 4])
        let operators = try RewritingChecks.exactly(builder.model(), [feed])
        // No rows at all.
        let none = try Tensor([] as [Float], dims: [0, 3, 1, 4])
        #expect(try RewritingChecks.exactly(builder.model(), [none]) == operators)
        return Array(operators.dropFirst().dropLast())
    }

    @Test func transposesCompose() throws {
        #expect(try Self.chain([("Transpose", [0, 2, 3, 1]), ("Transpose", [0, 3, 1, 2])]) == [])
        #expect(try Self.chain([("Transpose", [3, 0, 1, 2]), ("Transpose", [1, 2, 0, 3])]) == ["Transpose"])
        let three: [(String, [Int64])] = [
            ("Transpose", [1, 2, 3, 0]), ("Transpose", [1, 2, 3, 0]), ("Transpose", [2, 3, 0, 1]),
        ]
        #expect(try Self.chain(three) == [])
    }

    @Test func shapesCompose() throws {
        #expect(try Self.chain([("Squeeze", [2]), ("Unsqueeze", [2])]) == [])
        #expect(try Self.chain([("Unsqueeze", [-1]), ("Squeeze", [4])]) == [])
        #expect(try Self.chain([("Unsqueeze", [1]), ("Unsqueeze", [0, -1])]) == ["Unsqueeze"])
        #expect(try Self.chain([("Unsqueeze", [0]), ("Squeeze", [0, 3])]) == ["Reshape"])
        #expect(try Self.chain([("Squeeze", [2]), ("Flatten", [1])]) == ["Reshape"])
        #expect(try Self.chain([("Reshape", [0, 12]), ("Reshape", [-1, 2, 6])]) == ["Reshape"])
        #expect(try Self.chain([("Flatten", [1]), ("Reshape", [0, 4, 3])]) == ["Reshape"])
        #expect(try Self.chain([("Reshape", [-1, 2, 6]), ("Reshape", [-1, 0, 3])]) == ["Reshape"])
        // The rows of what lies between are not those of the input.
        #expect(try Self.chain([("Reshape", [-1, 2]), ("Reshape", [0, 1, 2])]) == ["Reshape", "Reshape"])
        #expect(try Self.chain([("Reshape", [3, -1]), ("Transpose", [1, 0])]) == ["Reshape", "Transpose"])
    }

    @Test func whatOthersReadStays() throws {
        var builder = GraphBuilder()
        let x = builder.input("x", [.known(2), .known(3)])
        let first = builder.node("Transpose", [x], ["perm": .ints([1, 0])])
        let again = builder.node("Transpose", [first], ["perm": .ints([1, 0])])
        builder.output(builder.node("Neg", [first]))
        builder.output(builder.node("Neg", [again]))
        let flat = builder.node("Reshape", [x, try Self.ints(&builder, [6])])
        builder.output(builder.node("Neg", [flat]))
        builder.output(builder.node("Reshape", [flat, try Self.ints(&builder, [3, 2])]))
        let feed = try Tensor(noise(6, seed: 2), dims: [2, 3])
        let operators = try RewritingChecks.exactly(builder.model(), [feed])
        #expect(operators.sorted() == ["Neg", "Neg", "Neg", "Reshape", "Reshape", "Transpose"])
    }

    /// outputs: x + k of the inner branch of two Ifs, x itself, and a constant.
    private static func nestedIf(_ outer: Bool, _ inner: Bool) throws -> ModelGraph {
        func leaf(_ factor: Float) throws -> Graph {
            var builder = GraphBuilder()
            let x = builder.graph.addValue(Value(name: "x"))
            builder.graph.captures = [x]
            let k = try builder.constant("k", [factor], [])
            builder.output(builder.node("Mul", [x, k]))
            return builder.graph
        }
        func branch(_ sign: Float) throws -> Graph {
            var builder = GraphBuilder()
            let x = builder.graph.addValue(Value(name: "x"))
            builder.graph.captures = [x]
            let condition = try builder.constant("which", [inner], [1])
            // A name that the graph around has too.
            let k = try builder.constant("taken", [sign], [])
            let product = builder.node(
                "If", [condition],
                ["then_branch": .graph(try leaf(2 * sign)), "else_branch": .graph(try leaf(3 * sign))])
            builder.output(builder.node("Add", [product, k]))
            builder.output(x)
            builder.output(k)
            return builder.graph
        }
        var graph = GraphBuilder()
        let x = graph.input("x", [.symbol("n")])
        let condition = try graph.constant("taken", [outer], [])
        let outputs = (0..<3).map { graph.graph.addValue(Value(name: Name("y\($0)"))) }
        graph.graph.nodes.append(
            Node(
                name: "choice", opType: "If", inputs: [condition], outputs: outputs,
                attributes: ["then_branch": .graph(try branch(1)), "else_branch": .graph(try branch(-1))]))
        graph.output(outputs[0])
        graph.output(graph.node("Mul", [outputs[1], outputs[2]]))
        _ = x
        return graph.model()
    }

    @Test func branchesThatAreAlwaysTakenAreInlined() throws {
        let feed = try Tensor([1, -2] as [Float], dims: [2])
        let expected: [(outer: Bool, inner: Bool, sums: [Float])] = [
            (true, true, [3, -3]), (true, false, [4, -5]), (false, true, [-3, 3]), (false, false, [-4, 5]),
        ]
        for (outer, inner, sums) in expected {
            let model = try Self.nestedIf(outer, inner)
            #expect(try RewritingChecks.outputs(model, [feed])[0].array() == sums)
            let operators = try RewritingChecks.exactly(model, [feed])
            // x · 1 goes, but for the name of the output.
            #expect(operators.filter { $0 != "Identity" && $0 != "Mul" } == ["Add"])
            #expect(operators.count == 3)
        }
    }

    @Test func branchesOfAnInputStay() throws {
        var model = try Self.nestedIf(true, false)
        let condition = model.graph.addValue(Value(name: "c", type: .tensor(.bool, [])))
        model.graph.inputs.append(condition)
        model.graph.nodes[0].inputs[0] = condition
        let feeds = [try Tensor([1, -2] as [Float], dims: [2]), try Tensor([false], dims: [])]
        #expect(try RewritingChecks.exactly(model, feeds).contains("If"))
    }

    /// x · Clip(x + 3, 0, 6) / 6, the division before or after, as a division or a product.
    private static func hardSwish(opset: Int, dividesFirst: Bool, isQuotient: Bool, limit: Float = 6) throws
        -> ModelGraph
    {
        var builder = GraphBuilder()
        let x = builder.input("x", [.symbol("n"), .known(4)])
        let three = try builder.constant("three", [3 as Float], [])
        let sum = builder.node("Add", [three, x])
        let clip: ValueID
        if opset < 11 {
            clip = builder.node("Clip", [sum], ["min": .float(0), "max": .float(limit)])
        } else {
            let low = try builder.constant("low", [0 as Float], [])
            clip = builder.node("Clip", [sum, low, try builder.constant("high", [limit], [])])
        }
        let six = try builder.constant("six", [isQuotient ? 6 : 1 / 6 as Float], [1])
        func scaled(_ value: ValueID) -> ValueID { builder.node(isQuotient ? "Div" : "Mul", [value, six]) }
        builder.output(
            dividesFirst ? builder.node("Mul", [x, scaled(clip)]) : scaled(builder.node("Mul", [clip, x])))
        return builder.model(opset: opset)
    }

    @Test func hardSwishIsRecognised() throws {
        let numbers: [Float] = [-4, -3, -0.5, 0, 1.25, 2.999, 3, 7]
        let feed = try Tensor(numbers, dims: [2, 4])
        for (dividesFirst, isQuotient) in [(false, false), (false, true), (true, false), (true, true)] {
            let model = try Self.hardSwish(opset: 14, dividesFirst: dividesFirst, isQuotient: isQuotient)
            let rewritten = try RewritingChecks.rewritten(model)
            #expect(RewritingChecks.operators(rewritten) == ["HardSwish"])
            let results: [Float] = try RewritingChecks.outputs(rewritten, [feed])[0].array()
            for (x, y) in zip(numbers, results) {
                let exact = Double(x) * min(max(Double(x) + 3, 0), 6) / 6
                #expect(abs(Double(y) - exact) <= 1e-6)
            }
            let old = try Self.hardSwish(opset: 10, dividesFirst: dividesFirst, isQuotient: isQuotient)
            #expect(RewritingChecks.operators(try RewritingChecks.rewritten(old)).count == 4)
            let other = try Self.hardSwish(opset: 14, dividesFirst: dividesFirst, isQuotient: isQuotient, limit: 5)
            #expect(RewritingChecks.operators(try RewritingChecks.rewritten(other)).count == 4)
        }
    }

    @Test func siluIsWrittenFromItsVersionOn() throws {
        var builder = GraphBuilder()
        let x = builder.input("x", [.known(4)])
        builder.output(builder.node("Mul", [x, builder.node("Sigmoid", [x])]))
        #expect(RewritingChecks.operators(try RewritingChecks.rewritten(builder.model(opset: 23))).count == 2)
        #expect(RewritingChecks.operators(try RewritingChecks.rewritten(builder.model(opset: 24))) == ["Swish"])
    }

    @Test func whatIsAddedToChannelsIsBias() throws {
        func model(_ dims: [Int], hasBias: Bool) throws -> ModelGraph {
            var builder = GraphBuilder()
            let x = builder.input("x", [.known(1), .known(2), .known(2), .known(2)])
            // Sums of few bits: every order gives the same.
            let weight = try builder.constant("w", [1, 2, -3, 0.5] as [Float], [2, 2, 1, 1])
            let bias = hasBias ? try builder.constant("b", [0.25, -8] as [Float], [2]) : nil
            let count = dims.reduce(1, *)
            let addend = try builder.constant("a", (0..<count).map { Float($0) * 4 + 1 }, dims)
            builder.output(builder.node("Add", [addend, builder.node("Conv", [x, weight, bias])]))
            return builder.model()
        }
        let feed = try Tensor([1, 2, 3, 4, -5, 6, 0.5, 8] as [Float], dims: [1, 2, 2, 2])
        for dims in [[2, 1, 1], [1, 2, 1, 1], [1], []] {
            for hasBias in [false, true] {
                #expect(try RewritingChecks.exactly(model(dims, hasBias: hasBias), [feed]) == ["Conv"])
            }
        }
        for dims in [[2], [2, 1], [1, 1, 2, 2]] {
            #expect(try RewritingChecks.exactly(model(dims, hasBias: true), [feed]).sorted() == ["Add", "Conv"])
        }
    }
}
