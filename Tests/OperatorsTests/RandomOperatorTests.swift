import GraphIR
import TensorCore
import Testing

@testable import Operators

@Suite struct RandomOperatorTests {
    /// Expected: the C++ standard, [rand.predef]: the 10000th number of `mt19937` with its default seed.
    @Test func mersenneTwisterIsTheStandardOne() {
        var generator = MersenneTwister(seed: 5489)
        var last: UInt32 = 0
        for _ in 0..<10_000 { last = generator.next() }
        #expect(last == 4_123_659_995)
    }

    private func numbers(_ type: String, seed: Float?) throws -> [Float]? {
        var attributes: [String: Attribute] = ["shape": .ints([100])]
        if let seed { attributes["seed"] = .float(seed) }
        return try NodeRunner(type, attributes).run()[0]?.array(of: Float.self)
    }

    @Test(arguments: ["RandomNormal", "RandomUniform"]) func seedsDecide(type: String) throws {
        #expect(try numbers(type, seed: 1) == numbers(type, seed: 1))
        #expect(try numbers(type, seed: 1) != numbers(type, seed: 2))
        #expect(try numbers(type, seed: nil) != numbers(type, seed: nil))
        #expect(try numbers(type, seed: .nan) == numbers(type, seed: .nan))
    }

    /// Rows with one likely class each.
    @Test func multinomialFollowsItsWeights() throws {
        let scores = try floats([0, -100, -100, -100, -100, 0], [2, 3])
        let drawn = try NodeRunner("Multinomial", ["sample_size": .int(4)]).run(scores)[0]
        #expect(try drawn?.array(of: Int32.self) == [0, 0, 0, 0, 2, 2, 2, 2])
    }
}
