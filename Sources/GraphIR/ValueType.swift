import TensorCore

/// One extent of a shape that may not be known before the inputs are.
package enum Dim: Hashable, Sendable, CustomStringConvertible {
    case known(Int)
    /// A named extent (`dim_param`); equal names mean equal extents.
    case symbol(String)
    case unknown

    package var value: Int? {
        if case .known(let value) = self { value } else { nil }
    }

    package var description: String {
        switch self {
        case .known(let value): String(value)
        case .symbol(let name): name
        case .unknown: "?"
        }
    }
}

/// A shape with extents that may be symbolic or unknown; its rank is known.
package struct SymbolicShape: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
    package var dims: [Dim]

    package init(_ dims: [Dim]) { self.dims = dims }
    package init(_ shape: Shape) { self.dims = shape.dims.map(Dim.known) }
    package init(arrayLiteral elements: Dim...) { self.dims = elements }

    package var rank: Int { dims.count }

    /// The extents when all are known.
    package var knownDims: [Int]? {
        var known: [Int] = []
        for dim in dims {
            guard let value = dim.value else { return nil }
            known.append(value)
        }
        return known
    }

    /// The shape when all extents are known and valid.
    /// - Throws: `shape` or `limit` when they are known but cannot be a shape.
    package func concrete() throws(SardonyxError) -> Shape? {
        guard let dims = knownDims else { return nil }
        return try Shape(dims)
    }

    package var description: String { "[" + dims.map(\.description).joined(separator: ", ") + "]" }
}

/// What is known of a value before it is computed.
package indirect enum ValueType: Hashable, Sendable, CustomStringConvertible {
    /// A dense tensor; `nil` shape means unknown rank.
    case tensor(DType, SymbolicShape?)
    case sparseTensor(DType, SymbolicShape?)
    case sequence(ValueType)
    case optional(ValueType)
    case map(key: DType, value: ValueType)

    package var dtype: DType? {
        if case .tensor(let dtype, _) = self { dtype } else { nil }
    }

    package var shape: SymbolicShape? {
        if case .tensor(_, let shape) = self { shape } else { nil }
    }

    package var description: String {
        switch self {
        case .tensor(let dtype, let shape): dtype.description + (shape.map(\.description) ?? "[…]")
        case .sparseTensor(let dtype, let shape): "sparse " + dtype.description + (shape.map(\.description) ?? "[…]")
        case .sequence(let element): "sequence(\(element))"
        case .optional(let element): "optional(\(element))"
        case .map(let key, let value): "map(\(key), \(value))"
        }
    }
}
