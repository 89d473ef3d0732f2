import GraphIR
import TensorCore
import Testing

@testable import Execution
@testable import Passes

/// Nodes between two Abs of a `[rows, 3]` matrix, or two Neg, that change nothing and go, or that change something and
/// stay.
@Suite struct HandedThroughTests {
    typealias Build = (inout GraphBuilder, ValueID) throws -> ValueID

    private static func ints(_ builder: inout GraphBuilder, _ name: String, _ values: [Int64]) throws -> ValueID {
        try builder.constant(name, values, [values.count])
    }

    /// Operators left between the two Neg; the model computes the same bits.
    private static func left(opset: Int = 17, isDynamic: Bool = true, _ build: Build) throws -> [String] {
        var builder = GraphBuilder()
        let rows: Dim = isDynamic ? .symbol("rows") : .known(2)
        let x = builder.input("x", [rows, .known(3)])
        let inner = try build(&builder, builder.node("Neg", [x]))
        builder.output(builder.node("Neg", [inner]))
        let feed = try Tensor(RewritingChecks.extremes, dims: [2, 3])
        let operators = try RewritingChecks.exactly(builder.model(opset: opset), [feed])
        #expect(operators.first == "Neg" && operators.last == "Neg" && operators.count >= 2)
        return Array(operators.dropFirst().dropLast())
    }

    private static func pad(_ amounts: [Int64], mode: String = "constant") -> Build {
        { builder, x in
            builder.node("Pad", [x, try ints(&builder, "p", amounts)], ["mode": .string(Array(mode.utf8))])
        }
    }

    private static func slice(_ starts: [Int64], _ ends: [Int64], _ axes: [Int64]?, _ steps: [Int64]? = nil) -> Build {
        { builder, x in
            let (first, last) = (try ints(&builder, "s", starts), try ints(&builder, "e", ends))
            let along = try axes.map { try ints(&builder, "a", $0) }
            let by = try steps.map { try ints(&builder, "t", $0) }
            return builder.node("Slice", [x, first, last, along, by])
        }
    }

    private static func arithmetic(_ name: String, _ values: [Float], _ dims: [Int], isFirst: Bool = false) -> Build {
        { builder, x in
            let c = try builder.constant("c", values, dims)
            return builder.node(name, isFirst ? [c, x] : [x, c])
        }
    }

    private static func resize(_ mode: String, _ coordinates: String, _ scales: [Float]) -> Build {
        { builder, x in
            let scales = try builder.constant("scales", scales, [2])
            return builder.node(
                "Resize", [x, nil, scales],
                [
                    "mode": .string(Array(mode.utf8)),
                    "coordinate_transformation_mode": .string(Array(coordinates.utf8)),
                ])
        }
    }

    @Test func movesThatMoveNothingGo() throws {
        let builds: [Build] = [
            Self.pad([0, 0, 0, 0]), Self.pad([0, 0, 0, 0], mode: "reflect"),
            Self.slice([0], [.max], [0]), Self.slice([0, 0], [.max, 3], [-2, -1]), Self.slice([0], [7], [1]),
            Self.slice([-3], [Int64(Int32.max)], [1], [1]),
            { $0.node("Concat", [$1], ["axis": .int(0)]) },
            { $0.node("Split", [$1], ["axis": .int(0)]) },
            { $0.node("Transpose", [$1], ["perm": .ints([0, 1])]) },
            { $0.node("Tile", [$1, try Self.ints(&$0, "r", [1, 1])]) },
            { $0.node("Expand", [$1, try Self.ints(&$0, "r", [1, 1])]) },
            { $0.node("Reshape", [$1, try Self.ints(&$0, "r", [0, -1])]) },
            { $0.node("Reshape", [$1, try Self.ints(&$0, "r", [-1, 3])]) },
            { $0.node("Flatten", [$1]) },
            Self.resize("nearest", "half_pixel", [1, 1]), Self.resize("linear", "align_corners", [1, 1]),
        ]
        for (index, build) in builds.enumerated() { #expect(try Self.left(build) == [], "case \(index)") }
    }

    @Test func movesThatMoveStay() throws {
        let cases: [(name: String, build: Build)] = [
            ("Pad", Self.pad([0, 0, 0, 1])), ("Slice", Self.slice([0], [2], [0])),
            ("Slice", Self.slice([-1], [.min], [1], [-1])), ("Slice", Self.slice([0], [.max], [1], [2])),
            ("Concat", { $0.node("Concat", [$1, $1], ["axis": .int(0)]) }),
            ("Transpose", { $0.node("Transpose", [$1]) }),
            ("Tile", { $0.node("Tile", [$1, try Self.ints(&$0, "r", [1, 2])]) }),
            ("Expand", { $0.node("Expand", [$1, try Self.ints(&$0, "r", [1, 1, 1])]) }),
            ("Reshape", { $0.node("Reshape", [$1, try Self.ints(&$0, "r", [3, -1])]) }),
            ("Resize", Self.resize("nearest", "asymmetric", [1, 2])),
        ]
        for (name, build) in cases { #expect(try Self.left(build) == [name]) }
    }

    @Test func neutralOperandsGo() throws {
        let builds: [Build] = [
            Self.arithmetic("Mul", [1], []), Self.arithmetic("Mul", [1], [1, 1], isFirst: true),
            Self.arithmetic("Div", [1, 1, 1], [3]), Self.arithmetic("Sub", [0], [1]),
            Self.arithmetic("Add", [-0.0], [], isFirst: true),
        ]
        for (index, build) in builds.enumerated() { #expect(try Self.left(build) == [], "case \(index)") }
    }

    @Test func operandsThatAreNotNeutralStay() throws {
        let cases: [(name: String, build: Build)] = [
            // -0 + 0 is 0, as -0 - -0.
            ("Add", Self.arithmetic("Add", [0], [])), ("Sub", Self.arithmetic("Sub", [-0.0], [])),
            ("Sub", Self.arithmetic("Sub", [0], [], isFirst: true)),
            ("Div", Self.arithmetic("Div", [1], [], isFirst: true)),
            ("Mul", Self.arithmetic("Mul", [1, 1, 2], [3])),
            // Another rank.
            ("Mul", Self.arithmetic("Mul", [1], [1, 1, 1])),
            // As many rows as there are, which is not known.
            ("Mul", Self.arithmetic("Mul", [1, 1], [2, 1])),
        ]
        for (name, build) in cases { #expect(try Self.left(build) == [name]) }
        #expect(try Self.left(isDynamic: false, Self.arithmetic("Mul", [1, 1], [2, 1])) == [])
    }

    @Test func integersHaveOneZero() throws {
        var builder = GraphBuilder()
        let x = builder.input("x", [.known(2)], .int32)
        let zero = try builder.constant("zero", [0, 0] as [Int32], [2])
        let sum = builder.node("Add", [builder.node("Neg", [x]), zero])
        let wide = builder.node("Cast", [sum], ["to": .int(7)])
        builder.output(builder.node("Neg", [builder.node("Cast", [wide], ["to": .int(6)])]))
        let feed = try Tensor([5, -7] as [Int32], dims: [2])
        #expect(try RewritingChecks.exactly(builder.model(), [feed]) == ["Neg", "Neg"])
    }

    @Test func castsThatRoundStay() throws {
        let left = try Self.left { builder, x in
            builder.node("Cast", [builder.node("Cast", [x], ["to": .int(10)])], ["to": .int(1)])
        }
        #expect(left == ["Cast", "Cast"])
        let exact = try Self.left { builder, x in
            builder.node("Cast", [builder.node("Cast", [x], ["to": .int(11)])], ["to": .int(1)])
        }
        #expect(exact == [])
    }

    @Test func outputsKeepWhatTheyDeclare() throws {
        var builder = GraphBuilder()
        let x = builder.input("x", [.known(2), .known(3)])
        let axes = builder.input("axes", [.unknown], .int64)
        let sum = builder.node("ReduceSum", [x, axes], ["keepdims": .int(0)])
        let same = builder.node("Cast", [sum], ["to": .int(1)])
        builder.graph[same].type = .tensor(.float32, [.known(3)])
        builder.output(same)
        let rewritten = try RewritingChecks.rewritten(builder.model())
        #expect(RewritingChecks.operators(rewritten) == ["ReduceSum"])
        let output = try #require(rewritten.graph.outputs.first)
        #expect(rewritten.graph[output].type == .tensor(.float32, [.known(3)]))
        #expect(rewritten.graph[output].name == builder.graph[same].name)
    }
}
