import TensorCore

extension ValueType {
    /// The narrowest type that values of both types have; `nil` when they are of different kinds or element types.
    package func merged(with other: ValueType) -> ValueType? {
        switch (self, other) {
        case (.tensor(let dtype, let shape), .tensor(dtype, let other)):
            .tensor(dtype, shape.flatMap { shape in other.flatMap { shape.merged(with: $0) } })
        case (.sequence(let element), .sequence(let other)): element.merged(with: other).map(ValueType.sequence)
        case (.optional(let element), .optional(let other)), (.optional(let element), let other),
            (let element, .optional(let other)):
            element.merged(with: other).map(ValueType.optional)
        default: self == other ? self : nil
        }
    }

    /// The type with what it leaves open of shapes filled from a declaration. A declared sequence or optional stays: a
    /// value that an optional holds is inferred as what it holds.
    package func refined(by declared: ValueType?) -> ValueType {
        guard case .tensor(let dtype, let shape) = self, case .tensor(_, let said)? = declared else {
            return declared ?? self
        }
        guard let declared = said else { return self }
        guard let shape, shape.rank == declared.rank else { return .tensor(dtype, shape ?? declared) }
        return .tensor(dtype, SymbolicShape(zip(shape.dims, declared.dims).map { $0 == .unknown ? $1 : $0 }))
    }

    /// What an optional may hold; the type itself when it is not optional.
    package var held: ValueType {
        if case .optional(let element) = self { element } else { self }
    }

    /// Without anything said of shapes.
    package var withoutShapes: ValueType {
        switch self {
        case .tensor(let dtype, _): .tensor(dtype, nil)
        case .sparseTensor(let dtype, _): .sparseTensor(dtype, nil)
        case .sequence(let element): .sequence(element.withoutShapes)
        case .optional(let element): .optional(element.withoutShapes)
        case .map(let key, let value): .map(key: key, value: value.withoutShapes)
        }
    }

    /// Whether a value of this type can be had where `wanted` is asked for, whatever the shapes.
    package func fits(_ wanted: ValueType) -> Bool {
        switch (self, wanted) {
        case (.tensor(let dtype, _), .tensor(let other, _)): dtype == other
        case (.sequence(let element), .sequence(let other)): element.fits(other)
        case (.optional(let element), .optional(let other)), (let element, .optional(let other)): element.fits(other)
        default: self == wanted
        }
    }
}

extension SymbolicShape {
    /// The extents that both say; `nil` for other ranks.
    fileprivate func merged(with other: SymbolicShape) -> SymbolicShape? {
        guard rank == other.rank else { return nil }
        return SymbolicShape(zip(dims, other.dims).map { $0 == $1 ? $0 : .unknown })
    }
}
