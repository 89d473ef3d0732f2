import TensorCore

/// A tensor that the model fixes: an initializer or a folded result.
///
/// Its contents may stay in the model file until they are asked for, so that weights are never held twice:
/// a kernel that packs its weights asks once, packs, and lets them go.
package final class Constant: Sendable {
    package let dtype: DType
    package let shape: Shape

    private enum Source: Sendable {
        case resident(Tensor)
        case deferred(@Sendable () throws(SardonyxError) -> Tensor)
        case missing(SardonyxError)
    }
    private let source: Source

    package init(_ tensor: Tensor) {
        self.dtype = tensor.dtype
        self.shape = tensor.shape
        self.source = .resident(tensor)
    }

    /// - Parameter load: makes the contents, each time they are asked for; must give `dtype` and `shape`.
    package init(dtype: DType, shape: Shape, load: @escaping @Sendable () throws(SardonyxError) -> Tensor) {
        self.dtype = dtype
        self.shape = shape
        self.source = .deferred(load)
    }

    /// A constant whose contents the model's files do not have.
    /// - Parameter fault: thrown whenever they are asked for.
    package init(dtype: DType, shape: Shape, missing fault: SardonyxError) {
        self.dtype = dtype
        self.shape = shape
        self.source = .missing(fault)
    }

    /// The contents; read or computed anew at each call unless resident.
    package func tensor() throws(SardonyxError) -> Tensor {
        switch source {
        case .resident(let tensor): return tensor
        case .deferred(let load): return try load()
        case .missing(let fault): throw fault
        }
    }

    /// Why there are no contents; `nil` where there are.
    package var fault: SardonyxError? {
        if case .missing(let fault) = source { fault } else { nil }
    }

    /// Whether the contents are in memory.
    package var isResident: Bool {
        if case .resident = source { true } else { false }
    }

    package var type: ValueType { .tensor(dtype, SymbolicShape(shape)) }
}
