import Sardonyx
import TestSupport
import Testing

/// Memory over a run, and weights that are unusual.
@Suite struct ModelLooksTests {
    /// Each value of 1 KiB lives from the step that makes it to the last that reads it; x and y belong to the caller.
    @Test func memoryIsThatOfLivingValues() throws {
        let nodes = [
            node("Sigmoid", ["x"], ["a"]), node("Tanh", ["a"], ["b"]), node("Exp", ["b"], ["c"]),
            node("Add", ["a", "c"], ["s"]), node("ReduceMax", ["s"], ["y"]),
        ]
        let extents: [Message] = [.int(1, 1), .int(1, 256)]
        let interface: Message = [
            .message(11, value("x", extents: extents)), .message(12, value("y", extents: nil)),
        ]
        let plan = try #require(try Model(bytes: model(graph(nodes, more: interface))).picture().plan)
        let memory = plan.memory
        // Exp and Add overwrite what they read: b and c share a buffer, a and s the other.
        #expect(memory.steps.map(\.liveByteCount) == [1024, 2048, 2048, 2048, 1024])
        #expect(memory.peakStep == 1 && memory.peakLiveByteCount == 2048 && memory.arenaByteCount == 2048)
        #expect(memory.peakByteCount == 2052)
        #expect(memory.residents.map(\.byteCount) == [1024, 1024])
    }

    /// If(c) { MatMul with 2 x 2 weights of its own } else { x + an initializer of the graph }
    @Test func bodiesCount() throws {
        let weights = tensor("w", dims: [2, 2], .bytes(9, little([1, 2, 3, 4])))
        let product = graph(
            [node("MatMul", ["x", "w"], ["p"])], initializers: [weights], more: .message(12, value("p", extents: nil)))
        let sum = graph([node("Add", ["x", "b"], ["s"])], more: .message(12, value("s", extents: nil)))
        let nodes = [
            node("If", ["c"], ["y"], graphAttribute("then_branch", product) + graphAttribute("else_branch", sum))
        ]
        let interface: Message = [
            .message(11, value("c", dtype: 9, extents: [])),
            .message(11, value("x", extents: [.int(1, 1), .int(1, 2)])), .message(12, value("y", extents: nil)),
        ]
        let bias = tensor("b", dims: [2], .bytes(9, little([5, 6])))
        let report = try Model(bytes: model(graph(nodes, initializers: [bias], more: interface))).report()
        #expect(report.nodes.count == 1 && report.bodyNodeCount == 2 && report.parameterCount == 6)
        #expect(!report.hasOpenInputs)
    }

    @Test func aShapeThatDoesNotFitIsRefused() throws {
        let extents: [Message] = [.text(2, "N"), .int(1, 8)]
        let interface: Message = [
            .message(11, value("x", extents: extents)), .message(12, value("y", extents: extents)),
        ]
        let open = try Model(bytes: model(graph([node("Relu", ["x"], ["y"])], more: interface)))
        #expect(try open.report().hasOpenInputs)
        let error = try #require(throws: SardonyxError.self) { try open.report(shapes: ["x": [2, 8, 1]]) }
        #expect(error.code == .usage && error.description.contains("x"))
        // An extent that the model says may be another: what it declares of the output then counts no more.
        let other = try open.report(shapes: ["x": [3, 4]])
        #expect(other.problems.isEmpty && other.inputs == ["x: float32[3, 4]"] && other.outputs == ["y: float32[3, 4]"])
    }

    @Test func unusualWeightsAreNamed() throws {
        let weights = [
            tensor("plain", dims: [2, 2], .bytes(9, little([1, -1, 2, 3]))),
            tensor("broken", dims: [2, 2], .bytes(9, little([.nan, .infinity, 0, 1]))),
            tensor("zero", dims: [2, 2], .bytes(9, little([0, 0, 0, 0]))),
            tensor("dead", dims: [2, 2], .bytes(9, little([0, 0, 1, 2]))),
            tensor("wide", dims: [2, 2], .bytes(9, little([1e5, 1, 1e-40, 2]))),
        ]
        let names = ["plain", "broken", "zero", "dead", "wide"]
        let nodes = [node("Sum", ["x"] + names, ["s"]), node("MatMul", ["s", "plain"], ["y"])]
        let extents: [Message] = [.int(1, 2), .int(1, 2)]
        let interface: Message = [
            .message(11, value("x", extents: extents)), .message(12, value("y", extents: extents)),
        ]
        let found = try Model(bytes: model(graph(nodes, initializers: weights, more: interface))).weights()
        #expect(found.map(\.name) == names)
        #expect(found[0].warnings.isEmpty && found[0].readers == ["Sum (unnamed)", "MatMul (unnamed)"])
        #expect(found[1].warnings == ["1 NaN", "1 infinite"])
        #expect(found[2].warnings == ["all zero"])
        #expect(found[3].warnings == ["1 rows of zeros"])
        #expect(found[4].warnings == ["beyond float16", "1 subnormal"])
    }
}
