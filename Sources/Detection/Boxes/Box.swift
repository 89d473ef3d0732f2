/// An axis-aligned box by its corners: `x1`, `y1` top left, `x2`, `y2` bottom right and outside.
public struct Box<Scalar: Numeric & Comparable & Hashable & Sendable>: Sendable, Hashable {
    public var x1: Scalar
    public var y1: Scalar
    public var x2: Scalar
    public var y2: Scalar

    public init(x1: Scalar, y1: Scalar, x2: Scalar, y2: Scalar) {
        self.x1 = x1
        self.y1 = y1
        self.x2 = x2
        self.y2 = y2
    }

    public var width: Scalar { x2 - x1 }
    public var height: Scalar { y2 - y1 }
    /// No pixel lies inside.
    public var isEmpty: Bool { !(x1 < x2 && y1 < y2) }
}

extension Box: CustomStringConvertible {
    /// For example `[12, 30, 95, 101]`.
    public var description: String { "[\(x1), \(y1), \(x2), \(y2)]" }
}
