import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Extents that are only named survive the chains of nodes that exporters write for reshapes.
@Suite struct ShapeArithmeticTests {
    private let batch = Dim.symbol("N")

    @Test func flattenedHeads() throws {
        let x = Inferred(.float32, [batch, 324, 69, 69])
        let shape = try NodeRunner("Shape").infer(x)[0]
        #expect(shape.content == [batch, 324, 69, 69])
        let picked = try NodeRunner("Gather").infer(shape, Inferred(Constant(try ints([0], []))))[0]
        #expect(picked.content == [batch])
        let axes = Inferred(Constant(try ints([0])))
        let row = try NodeRunner("Unsqueeze").infer(picked, axes)[0]
        #expect(row.type.shape == [.known(1)])
        let cast = try NodeRunner("Cast", ["to": .int(7)]).infer(row)[0]
        let rest = Inferred(Constant(try ints([-1, 4])))
        let target = try NodeRunner("Concat", ["axis": .int(0)]).infer(cast, rest)[0]
        #expect(target.content == [batch, .known(-1), .known(4)])
        let output = try NodeRunner("Reshape").infer(x, target)[0]
        #expect(output.type.shape == [batch, .known(385641), .known(4)])
    }

    @Test func slicesOfShapes() throws {
        let x = Inferred(.float32, [batch, 3, .symbol("H"), .symbol("W")])
        let shape = try NodeRunner("Shape").infer(x)[0]
        let spatial = try NodeRunner("Slice").infer(
            shape, Inferred(Constant(try ints([2]))), Inferred(Constant(try ints([.max]))),
            Inferred(Constant(try ints([0]))))[0]
        #expect(spatial.content == [.symbol("H"), .symbol("W")])
        let parts = try NodeRunner("Split", opset: 18, outputs: 2).infer(spatial)
        #expect(parts.map(\.content) == [[.symbol("H")], [.symbol("W")]])
        #expect(try NodeRunner("Shape", ["start": .int(-1)]).infer(x)[0].content == [.symbol("W")])
    }

    @Test func expandWithMinusOne() throws {
        // What PyTorch writes for expand(-1, …): where(target == -1, ones, target).
        let target = Inferred(.int64, [2], content: [batch, .known(-1)])
        let minusOne = Inferred(Constant(try ints([-1, -1])))
        let equal = try NodeRunner("Equal").infer(target, minusOne)[0]
        #expect(equal.content == [0, 1])
        let ones = try NodeRunner("ConstantOfShape", ["value": .tensor(Constant(try ints([1])))]).infer(
            Inferred(Constant(try ints([2]))))[0]
        let chosen = try NodeRunner("Where").infer(equal, ones, target)[0]
        #expect(chosen.content == [batch, 1])
        #expect(try NodeRunner("Expand").infer(Inferred(.float32, [1, 5]), chosen)[0].type.shape == [batch, 5])
    }

    @Test func noElementsAndOne() throws {
        let (none, one) = (Inferred(Constant(try ints([]))), Inferred(Constant(try ints([3], []))))
        for type in ["Mod", "Add", "Equal"] {
            #expect(try NodeRunner(type).infer(none, one)[0].content == [])
            #expect(try NodeRunner(type).infer(one, none)[0].content == [])
        }
    }

    @Test func unknownTargetsKeepTheRank() throws {
        let target = Inferred(.int64, [3])
        #expect(try NodeRunner("Reshape").infer(Inferred(.float32, [batch]), target)[0].type.shape?.rank == 3)
        #expect(try NodeRunner("Reshape").infer(Inferred(.float32, nil), Inferred(.int64, nil))[0].type.shape == nil)
    }
}

extension Dim: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) { self = .known(value) }
}
