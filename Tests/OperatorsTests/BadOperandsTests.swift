import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Nodes that must be refused with a class and the numbers that are wrong, and must not write or allocate first.
@Suite struct BadOperandsTests {
    private func check(_ error: SardonyxError?, _ code: SardonyxError.Code, _ parts: String...) {
        #expect(error?.code == code, "\(error.map(String.init(describing:)) ?? "no error")")
        for part in parts {
            #expect(error?.description.contains(part) == true, "\(error.map(String.init(describing:)) ?? "")")
        }
    }

    @Test func reshapeTargets() throws {
        let x = try floats([Float](repeating: 0, count: 96))
        check(NodeRunner("Reshape").fault(x, try ints([-1, -1])), .shape, "[-1, -1]", "96")
        check(NodeRunner("Reshape").fault(x, try ints([7, 7])), .shape, "[7, 7]", "96")
        check(NodeRunner("Reshape").fault(x, try ints([-2, 96])), .shape, "[-2, 96]")
        check(NodeRunner("Reshape").fault(x, try ints([.max, .max])), .shape)
        check(NodeRunner("Reshape").fault(x, try ints([0, -1, 0])), .shape)
    }

    @Test func bombs() throws {
        let x = try floats([1])
        let huge = try ints([1 << 40])
        check(NodeRunner("ConstantOfShape").fault(huge), .limit, "\(4 << 40)", "--memory")
        check(NodeRunner("Tile").fault(x, huge), .limit, "\(4 << 40)")
        check(NodeRunner("Expand").fault(x, huge), .limit)
        check(NodeRunner("Expand").fault(x, try ints([1 << 40, 1 << 40])), .limit)
        check(NodeRunner("Pad").fault(x, try ints([0, 1 << 40])), .limit)
        check(NodeRunner("Pad", ["mode": .string(Array("edge".utf8))]).fault(x, try ints([0, 1 << 40])), .limit)
        check(NodeRunner("Pad").fault(x, try ints([.max, .max])), .limit)
        let one = try ints([1], [])
        check(NodeRunner("Range").fault(try ints([0], []), try ints([.max], []), one), .limit)
        check(NodeRunner("Range").fault(try ints([.min], []), try ints([.max], []), one), .value)
        check(NodeRunner("OneHot").fault(one, try ints([1 << 40]), try floats([0, 1])), .limit)
    }

    @Test(arguments: [Int64(-11), 10, .min, .max])
    func gatherAndScatterIndices(index: Int64) throws {
        let data = try floats((0..<20).map(Float.init), [10, 2])
        let one = try ints([3, index], [2, 1])
        let update = try floats([5, 5], [2, 1])
        check(NodeRunner("Gather").fault(data, one), .value, "element 1", "\(index)", "-10 to 9")
        check(NodeRunner("GatherElements").fault(data, one), .value, "element 1", "\(index)", "-10 to 9")
        check(NodeRunner("ScatterElements").fault(data, one, update), .value, "element 1", "\(index)", "-10 to 9")
        let tuples = try ints([0, 0, index, 0], [2, 2])
        check(NodeRunner("GatherND").fault(data, tuples), .value, "element 2", "\(index)", "-10 to 9")
        check(
            NodeRunner("ScatterND").fault(data, tuples, try floats([1, 1])), .value, "element 2", "\(index)", "-10 to 9"
        )
        let small = try Tensor([Int32(truncatingIfNeeded: max(-11, min(10, index)))], dims: [1])
        check(NodeRunner("Gather", ["axis": .int(0)]).fault(data, small), .value, "element 0")
    }

    @Test func topK() throws {
        let x = try floats((0..<10).map(Float.init))
        for k: Int64 in [11, -1, .max] {
            check(NodeRunner("TopK", outputs: 2).fault(x, try ints([k])), .value, "k; got \(k)", "0 to 10")
        }
    }

    @Test func axesAndSteps() throws {
        let x = try floats([Float](repeating: 0, count: 16), [2, 2, 2, 2])
        check(NodeRunner("Transpose", ["perm": .ints([0, 1, 1, 3])]).fault(x), .shape, "perm", "[0, 1, 1, 3]", "4")
        check(NodeRunner("Concat", ["axis": .int(7)]).fault(x, x), .shape, "axis; got 7", "rank 4")
        check(
            NodeRunner("Slice").fault(x, try ints([0]), try ints([2]), try ints([0]), try ints([0])), .shape,
            "step of axis 0")
        check(NodeRunner("Unsqueeze").fault(x, try ints([0, 0])), .shape, "named twice")
        check(NodeRunner("Squeeze").fault(x, try ints([1])), .shape, "axis 1")
        check(NodeRunner("Split", outputs: 2).fault(x, try ints([1, 3])), .shape, "[1, 3]")
    }

    @Test func nonMaxSuppression() throws {
        let boxes = try floats([0, 0, 1, 1, .nan, 0, 1, 1, 0, 0, 4, 4], [1, 3, 4])
        let scores = try floats([0.9, 0.95, .nan], [1, 1, 3])
        check(NodeRunner("NonMaxSuppression").fault(boxes, scores, try ints([-1])), .value, "-1")
        let chosen = try NodeRunner("NonMaxSuppression").run(boxes, scores, try ints([3]))
        #expect(try chosen[0]?.array(of: Int64.self) == [0, 0, 0])
    }

    @Test func argMaxOfNothing() throws {
        check(NodeRunner("ArgMax", ["axis": .int(1)]).fault(try floats([], [2, 0])), .value, "axis 1 is empty")
        let empty = try NodeRunner("ArgMax", ["axis": .int(1)]).run(try floats([], [0, 3]))
        #expect(empty[0]?.shape.dims == [0, 1])
    }
}
