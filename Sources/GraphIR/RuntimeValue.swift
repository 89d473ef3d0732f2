import TensorCore

/// A value during a run.
package enum RuntimeValue: Sendable {
    case tensor(Tensor)
    case sequence(TensorSequence)
    /// An optional of the given type that holds nothing. One that holds something is that thing itself.
    case absent(ValueType)

    package var tensor: Tensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }

    /// Elements of a sequence have shapes of their own: its type says their element type only.
    package var type: ValueType {
        switch self {
        case .tensor(let tensor): .tensor(tensor.dtype, SymbolicShape(tensor.shape))
        case .sequence(let sequence): .sequence(.tensor(sequence.dtype, nil))
        case .absent(let type): type
        }
    }
}

/// Tensors of one element type, in order.
package struct TensorSequence: Sendable {
    package let dtype: DType
    package private(set) var elements: [Tensor] = []
    /// What the elements take, with something for each that is not its contents.
    package private(set) var byteCount = 0

    /// Of one element, besides its contents.
    package static let elementOverhead = 128

    package init(_ dtype: DType) { self.dtype = dtype }

    package var count: Int { elements.count }

    /// - Throws: `value` for another element type.
    package mutating func insert(_ tensor: Tensor, at index: Int) throws(SardonyxError) {
        guard tensor.dtype == dtype else {
            throw SardonyxError(
                .value, "", "element type of a tensor for a sequence", got: "\(tensor.dtype)", allowed: "\(dtype)")
        }
        byteCount += tensor.byteCount + Self.elementOverhead
        elements.insert(tensor, at: index)
    }

    /// - Throws: `value` for another element type.
    package mutating func append(_ tensor: Tensor) throws(SardonyxError) { try insert(tensor, at: count) }

    package mutating func remove(at index: Int) {
        byteCount -= elements.remove(at: index).byteCount + Self.elementOverhead
    }
}
