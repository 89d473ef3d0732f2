import Testing

@testable import TensorCore

@Suite struct ShapeTests {
    @Test func scalarHasOneElement() { #expect(Shape.scalar.elementCount == 1 && Shape.scalar.rank == 0) }

    @Test func stridesAreRowMajor() throws { #expect(try Shape([2, 3, 4]).strides == [12, 4, 1]) }

    @Test(arguments: [[-1], [3, -4], [1 << 32, 1 << 32], [0, 1 << 40, 1 << 40]])
    func badExtentsAreErrors(_ dims: [Int]) {
        #expect(throws: SardonyxError.self) { try Shape(dims) }
    }

    @Test func blockedLayoutPadsChannels() throws {
        #expect(try Layout.blocked16.storedElementCount(Shape([2, 17, 3, 5])) == 2 * 32 * 15)
    }

    @Test func floatsBecomeIntegersOnlyWhenTheyFit() {
        #expect(CheckedSize.integer(Float.nan) == nil)
        #expect(CheckedSize.integer(1e30) == nil)
        #expect(CheckedSize.integer(-3.7) == -3)
    }
}
