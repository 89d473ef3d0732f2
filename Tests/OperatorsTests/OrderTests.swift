import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Orders and comparisons of numbers that kernels' arithmetic would take for equal, on several threads.
@Suite struct OrderTests {
    private static let tiny = Float.leastNonzeroMagnitude
    private static let special: [Float] = [.nan, .infinity, 1, 2 * tiny, tiny, 0, -0.0, -tiny, -1, -.infinity, -.nan]

    @Test func ranksOrderAsNumbersDo() {
        for a in Self.special {
            for b in Self.special {
                #expect((a.rank < b.rank) == (a < b || !a.isNaN && b.isNaN), "\(a) \(b)")
                #expect((Double(a).rank == Double(b).rank) == (a == b || a.isNaN && b.isNaN), "\(a) \(b)")
                #expect(
                    (BFloat16(a).rank < BFloat16(b).rank)
                        == (BFloat16(a).float < BFloat16(b).float || !a.isNaN && b.isNaN))
            }
        }
    }

    @Test(arguments: [1, 0]) func topOfTinyNumbers(_ largest: Int) throws {
        let count = 20_000
        var values = [Float](repeating: 0, count: count)
        for (place, value) in [(17, 3), (9_000, 1), (19_999, 2)] { values[place] = Float(value) * Self.tiny }
        for place in values.indices where largest == 0 { values[place].negate() }
        let found = try NodeRunner("TopK", outputs: 2, ["largest": .int(largest)]).run(
            try floats(values, [1, count]), try ints([4]))
        #expect(try found[1]?.array(of: Int64.self) == [17, 19_999, 9_000, 0])
    }

    @Test func comparisonsSeeTinyNumbers() throws {
        let count = 40_000
        let a = try floats([Float](repeating: Self.tiny, count: count))
        let b = try floats([Float](repeating: 0, count: count))
        for (type, expected) in [("Equal", false), ("Greater", true), ("LessOrEqual", false)] {
            let found = try NodeRunner(type).run(a, b)[0]
            #expect(try found?.array(of: Bool.self).allSatisfy { $0 == expected } == true, "\(type)")
        }
    }

    @Test func faultsNameTheFirstElement() throws {
        let count = 50_000
        var indices = [Int64](repeating: 1, count: count)
        (indices[30_000], indices[49_999]) = (-3, 2)
        let data = try floats([5, 6], [2, 1])
        let index = try ints(indices, [count, 1])
        let gather = NodeRunner("GatherElements").fault(data, index)
        #expect(gather?.message.contains("element 30000") == true, "\(gather?.message ?? "no error")")
        let division = NodeRunner("Div").fault(
            try ints([Int64](repeating: 7, count: count)), try ints(indices.map { $0 == 2 ? 0 : $0 }))
        #expect(division?.message.contains("element 49999") == true, "\(division?.message ?? "no error")")
        var classes = [Int64](repeating: 1, count: count)
        classes[40_000] = 2
        let loss = NodeRunner("NegativeLogLikelihoodLoss").fault(
            try floats([Float](repeating: 0, count: 2 * count), [count, 2]), try ints(classes))
        #expect(loss?.message.contains("element 40000") == true, "\(loss?.message ?? "no error")")
    }
}
