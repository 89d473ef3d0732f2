/// The concrete extents of a tensor, outermost first; rank 0 is a scalar.
///
/// A `Shape` cannot be invalid: no extent is negative, and the product of the extents (a zero counted as one)
/// is at most `CheckedSize.maximumElements`, so strides and byte counts never overflow.
public struct Shape: Sendable, Hashable, CustomStringConvertible, RandomAccessCollection {
    public let dims: [Int]
    /// The product of the extents: 1 for a scalar, 0 if any extent is 0.
    public let elementCount: Int

    public static let scalar = Shape(unchecked: [], elementCount: 1)

    /// - Throws: `shape` for a negative extent, `limit` for too many elements or a rank above 64.
    public init(_ dims: [Int]) throws(SardonyxError) {
        if let axis = dims.firstIndex(where: { $0 < 0 }) {
            throw SardonyxError(.shape, "", "negative extent on axis \(axis)", got: "\(dims)", allowed: "0 or more")
        }
        guard dims.count <= 64 else {
            throw SardonyxError(.limit, "", "rank", got: "\(dims.count)", allowed: "at most 64")
        }
        guard let volume = CheckedSize.product(dims.lazy.map { Swift.max($0, 1) }),
            volume <= CheckedSize.maximumElements
        else {
            throw SardonyxError(
                .limit, "", "the product of the extents overflows", got: "\(dims)", allowed: "at most 2^48 elements")
        }
        self.init(unchecked: dims, elementCount: dims.contains(0) ? 0 : volume)
    }

    private init(unchecked dims: [Int], elementCount: Int) {
        self.dims = dims
        self.elementCount = elementCount
    }

    public var rank: Int { dims.count }
    public var startIndex: Int { 0 }
    public var endIndex: Int { dims.count }
    public subscript(axis: Int) -> Int { dims[axis] }

    /// Element strides of the row-major layout, innermost 1.
    public var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in dims.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * Swift.max(dims[axis + 1], 1)
        }
        return strides
    }

    /// For example `[1, 3, 550, 550]`.
    public var description: String { "[" + dims.map(String.init).joined(separator: ", ") + "]" }
}
