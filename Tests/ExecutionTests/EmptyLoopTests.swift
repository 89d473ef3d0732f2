import GraphIR
import Operators
import Passes
import TensorCore
import Testing

@testable import Execution

/// What a Loop that makes no round returns for the rows that its body would have made: sums of x over axes, that are
/// captured or carried.
@Suite struct EmptyLoopTests {
    private static func rows(carriesAxes: Bool, declared: [Dim]?) throws -> Tensor {
        var body = GraphBuilder()
        _ = body.input("round", [], .int64)
        let going = body.input("going", [], .bool)
        let x = body.graph.addValue(Value(name: "x"))
        let axes = body.graph.addValue(Value(name: "axes", type: .tensor(.int64, [.unknown])))
        body.graph.captures = carriesAxes ? [x] : [x, axes]
        if carriesAxes { body.graph.inputs.append(axes) }
        let row = body.node("ReduceSum", [x, axes], ["keepdims": .int(0)])
        body.graph[row].type = .tensor(.float32, declared.map { SymbolicShape($0) })
        body.output(body.node("Identity", [going]))
        if carriesAxes { body.output(body.node("Identity", [axes])) }
        body.output(row)

        var graph = GraphBuilder()
        let n = graph.input("n", [], .int64)
        _ = graph.input("x", [.known(3), .known(2)])
        let given = graph.input("axes", [.unknown], .int64)
        let results = (carriesAxes ? ["carried"] : []) + ["rows"]
        let ids = results.map { graph.graph.addValue(Value(name: Name($0))) }
        graph.graph.nodes.append(
            Node(
                name: "loop", opType: "Loop", inputs: [n, nil] + (carriesAxes ? [given] : []), outputs: ids,
                attributes: ["body": .graph(body.graph)]))
        for id in ids.suffix(1) { graph.output(id) }
        let feeds = [
            try Tensor([0] as [Int64], dims: []), try Tensor([Float](repeating: 1, count: 6), dims: [3, 2]),
            try Tensor([0] as [Int64], dims: [1]),
        ]
        let options = ExecutionOptions(threads: 1, disabledPasses: Set(Pipeline.names))
        return try GraphExecutor(graph.model(), options: options).run(feeds)[0]
    }

    @Test func whatIsCapturedIsKnown() throws {
        #expect(try Self.rows(carriesAxes: false, declared: nil).shape.dims == [0, 2])
    }

    @Test func otherwiseTheDeclarationCounts() throws {
        #expect(try Self.rows(carriesAxes: true, declared: [.known(2)]).shape.dims == [0, 2])
    }
}
