import Sardonyx
import Testing

/// Figures by hand.
@Suite struct TensorErrorTests {
    private func error(
        _ actual: [Float], _ reference: [Float], dims: [Int]? = nil, _ tolerance: Tolerance = Tolerance()
    ) throws -> TensorError {
        let dims = dims ?? [actual.count]
        return try TensorError(Tensor(actual, dims: dims), Tensor(reference, dims: dims), tolerance: tolerance)
    }

    @Test func figuresOfFourElements() throws {
        let error = try error([1, 2, 3, 4], [1, 2, 4, 0], dims: [2, 2], Tolerance(relative: 0.1, absolute: 0.5))
        #expect(error.count == 4)
        #expect(error.maxAbsolute == 4)
        // Of 3 for 4; the element with reference 0 has no relative error.
        #expect(error.maxRelative == 0.25)
        #expect(error.meanAbsolute == 1.25)
        #expect(error.largestReference == 4 && error.relativeToLargest == 1)
        // (1 + 4 + 12) / √(30 · 21)
        #expect(abs(error.cosine - 0.677_296) < 1e-6)
        // 10 log10(21 / 17)
        #expect(abs(error.decibels - 0.917_704) < 1e-6)
        // 4 for 0 is 4 / 0.5 of what is allowed, 3 for 4 is 1 / 0.9.
        #expect(error.excess == 8 && error.beyondCount == 2 && !error.isWithin)
        #expect(error.worst?.index == [1, 1])
        #expect(error.worst?.actual == 4 && error.worst?.reference == 0)
    }

    /// 1e-4 of the largest element for float32, however small the element itself.
    @Test func defaultToleranceFollowsTheLargestElement() throws {
        #expect(try error([1000, 0.05], [1000, 0]).isWithin)
        let beyond = try error([1000, 0.25], [1000, 0])
        #expect(!beyond.isWithin && abs(beyond.excess - 2.5) < 1e-6)
        #expect(beyond.relativeTolerance == 1e-4 && abs(beyond.absoluteTolerance - 0.1) < 1e-12)
        #expect(try !error([1, 0.05], [1, 0]).isWithin)
    }

    @Test func equalTensorsAreExact() throws {
        let error = try error([0, -1, .infinity, .nan], [0, -1, .infinity, .nan])
        #expect(error.isWithin && error.excess == 0 && error.worst == nil && error.decibels == .infinity)
        #expect(error.cosine == 1 && error.maxAbsolute == 0)
        #expect(error.actualNotFinite == error.referenceNotFinite)
        #expect(error.actualNotFinite.nan == 1 && error.actualNotFinite.infinite == 1)
    }

    @Test func kindsOfNotFiniteMustAgree() throws {
        for (actual, reference) in [(Float.nan, Float(1)), (1, .nan), (.infinity, -.infinity), (.infinity, .nan)] {
            let error = try error([2, actual], [2, reference], Tolerance(relative: 1, absolute: 100))
            #expect(!error.isWithin && error.excess == .infinity && error.beyondCount == 1)
            #expect(error.worst?.index == [1])
            // The finite element counts by itself.
            #expect(error.maxAbsolute == 0 && error.cosine == 1)
        }
    }

    @Test func zeroToleranceIsEquality() throws {
        let none = Tolerance(relative: 0, absolute: 0)
        #expect(try error([0.5, -0], [0.5, 0], none).isWithin)
        #expect(try error([1], [1.000_000_1], none).excess == .infinity)
    }

    /// 2^53 + 1 and 2^53 are the same Double.
    @Test func wideIntegersAreComparedAsIntegers() throws {
        let (a, r) = (try Tensor([Int64(9_007_199_254_740_993)], dims: [1]), try Tensor([Int64(1) << 53], dims: [1]))
        let error = try TensorError(a, r)
        #expect(!error.isWithin && error.maxAbsolute == 1 && error.excess == .infinity)
        #expect(try TensorError(r, r).isWithin)
        #expect(try TensorError(a, r, tolerance: Tolerance(absolute: 1)).isWithin)
    }

    @Test func theCoarserTypeDecides() throws {
        let (single, half) = (try Tensor([Float(1000)], dims: [1]), try Tensor([Float16(1004)], dims: [1]))
        // 4 of 1004, where float16 allows 2 · 5e-3 · 1004.
        let error = try TensorError(single, half)
        #expect(error.isWithin && error.relativeTolerance == 5e-3 && error.maxAbsolute == 4)
    }

    @Test func textIsRightOrWrong() throws {
        // e and combining acute accent; é in one character.
        let (a, r) = (try Tensor(["a", "e\u{301}"], dims: [2]), try Tensor(["a", "\u{e9}"], dims: [2]))
        let error = try TensorError(a, r)
        #expect(error.beyondCount == 1 && error.worst?.index == [1])
        #expect(throws: SardonyxError.self) { try TensorError(a, Tensor([Float(0), 1], dims: [2])) }
    }

    @Test func emptyTensorsAreEqual() throws {
        let error = try error([], [], dims: [0])
        #expect(error.isWithin && error.count == 0 && error.meanAbsolute == 0)
        let scalar = try TensorError(Tensor([Float(2)], dims: []), Tensor([Float(1)], dims: []))
        #expect(scalar.worst?.index == [])
    }

    @Test func shapesMustAgree() throws {
        let fault = #expect(throws: SardonyxError.self) {
            try TensorError(Tensor([Float(0)], dims: [1]), Tensor([Float(0)], dims: [1, 1]))
        }
        #expect(fault?.code == .shape)
    }
}
