import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Operators whose parameters or shapes come from data allocate their outputs themselves, with the same result.
@Suite struct DataDependentShapeTests {
    @Test func movement() throws {
        let x = try floats((0..<6).map(Float.init), [2, 3])
        let cases: [(NodeRunner, [Tensor], [Int], [Float])] = [
            (NodeRunner("Reshape"), [x, try ints([3, -1])], [3, 2], [0, 1, 2, 3, 4, 5]),
            (
                NodeRunner("Slice"), [x, try ints([2]), try ints([.min]), try ints([1]), try ints([-2])], [2, 2],
                [2, 0, 5, 3]
            ),
            (NodeRunner("Expand"), [x, try ints([2, 1, 1])], [2, 2, 3], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]),
            (NodeRunner("Tile"), [x, try ints([1, 2])], [2, 6], [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]),
            (NodeRunner("Pad"), [x, try ints([0, 1, 0, -2])], [2, 2], [0, 0, 0, 3]),
            (NodeRunner("Unsqueeze"), [x, try ints([0, -1])], [1, 2, 3, 1], [0, 1, 2, 3, 4, 5]),
            (NodeRunner("Gather", ["axis": .int(1)]), [x, try ints([-1, 0])], [2, 2], [2, 0, 5, 3]),
            (NodeRunner("ReduceL1", ["keepdims": .int(0)]), [x, try ints([-1])], [2], [3, 12]),
            (NodeRunner("ReduceSum"), [x, try ints([0, 1])], [1, 1], [15]),
            (
                NodeRunner("ReduceMean", ["noop_with_empty_axes": .int(1)]), [x, try ints([])], [2, 3],
                [0, 1, 2, 3, 4, 5]
            ),
            (NodeRunner("GatherND"), [x, try ints([1, -1], [1, 2])], [1], [5]),
        ]
        for (runner, inputs, dims, values) in cases {
            let outputs = try runner.runUnplanned(inputs)
            #expect(outputs[0]?.shape.dims == dims, "\(runner.type)")
            #expect(try outputs[0]?.array(of: Float.self) == values, "\(runner.type)")
        }
    }

    @Test func topKOrdersNaNAndEqualElements() throws {
        let x = try floats([1, .nan, 3, 3, -.infinity, .nan])
        let outputs = try NodeRunner("TopK", outputs: 2).runUnplanned([x, try ints([5])])
        #expect(try outputs[1]?.array(of: Int64.self) == [1, 5, 2, 3, 0])
        let least = try NodeRunner("TopK", outputs: 2, ["largest": .int(0)]).runUnplanned([x, try ints([6])])
        #expect(try least[1]?.array(of: Int64.self) == [4, 0, 2, 3, 1, 5])
    }
}
