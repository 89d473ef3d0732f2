import GraphIR
import TensorCore

/// One input or output of a model.
public struct Signature: Sendable, Hashable, CustomStringConvertible {
    /// An extent as the model declares it.
    public enum Extent: Sendable, Hashable, CustomStringConvertible {
        case fixed(Int)
        /// Bound by the inputs of a run; equal names are equal extents.
        case symbolic(String)
        case unknown

        public var description: String {
            switch self {
            case .fixed(let value): String(value)
            case .symbolic(let name): name
            case .unknown: "?"
            }
        }
    }

    public let name: String
    /// `nil` when the model does not say, or when the value is not a tensor.
    public let dtype: DType?
    /// `nil` when not even the rank is known.
    public let extents: [Extent]?

    /// Whether the model says every extent.
    public var isFixed: Bool {
        extents?.allSatisfy { if case .fixed = $0 { true } else { false } } ?? false
    }

    init(_ value: Value) {
        name = value.name.string
        dtype = value.type?.dtype
        extents = value.type?.shape?.dims.map { dim in
            switch dim {
            case .known(let value): .fixed(value)
            case .symbol(let name): .symbolic(name)
            case .unknown: .unknown
            }
        }
    }

    /// For example `image: float32[1, 3, 550, 550]`.
    public var description: String {
        let dims = extents.map { "[" + $0.map(\.description).joined(separator: ", ") + "]" } ?? "[…]"
        return "\(name): \(dtype?.description ?? "?")\(dims)"
    }
}
