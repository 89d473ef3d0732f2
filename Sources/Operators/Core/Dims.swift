import GraphIR
import TensorCore

extension Dim {
    /// The product of extents; unknown when it cannot be said. One symbol among ones stays that symbol.
    /// - Returns: `nil` when the known extents overflow.
    package static func product(_ dims: some Sequence<Dim>) -> Dim? {
        var known = 1
        var open: [Dim] = []
        for dim in dims where dim != .known(1) {
            guard let value = dim.value else {
                open.append(dim)
                continue
            }
            guard let next = CheckedSize.product(known, value) else { return nil }
            known = next
        }
        if open.isEmpty || known == 0 { return .known(known) }
        return known == 1 && open.count == 1 ? open[0] : .unknown
    }

    /// The sum of extents; unknown unless all are known or all others are zero.
    /// - Returns: `nil` when the known extents overflow.
    package static func sum(_ dims: some Sequence<Dim>) -> Dim? {
        let terms = dims.filter { $0 != .known(0) }
        if terms.count == 1 { return terms[0] }
        var total = 0
        for dim in terms {
            guard let value = dim.value else { return .unknown }
            guard let next = CheckedSize.sum(total, value) else { return nil }
            total = next
        }
        return .known(total)
    }
}

extension Inferred {
    /// The most elements whose values are followed through shape arithmetic.
    static let contentLimit = 1024

    /// A value of `rank` 0 or 1 with followed elements; of other ranks or too many elements, without them.
    static func following(_ dtype: DType, _ shape: SymbolicShape?, _ content: [Dim]?) -> Inferred {
        guard let content, let shape, shape.rank <= 1, dtype.isInteger || dtype == .bool, content.count <= contentLimit,
            shape.dims.first.map({ $0.value == content.count }) ?? (content.count == 1)
        else { return Inferred(dtype, shape) }
        return Inferred(dtype, shape, content: content)
    }
}

extension InferContext {
    /// The number of elements of an input of rank 1, when known.
    func length(_ index: Int) throws(SardonyxError) -> Int? {
        guard hasInput(index), let shape = try shape(index), shape.rank == 1 else { return nil }
        return shape.dims[0].value
    }

    /// Like `Dim.product`, with the overflow as an error of this node.
    func product(_ dims: some Sequence<Dim>) throws(SardonyxError) -> Dim { try checked(Dim.product(dims), dims) }

    /// Like `Dim.sum`, with the overflow as an error of this node.
    func sum(_ dims: some Sequence<Dim>) throws(SardonyxError) -> Dim { try checked(Dim.sum(dims), dims) }

    private func checked(_ result: Dim?, _ dims: some Sequence<Dim>) throws(SardonyxError) -> Dim {
        guard let result else {
            throw error(.limit, "extents overflow", got: "\(dims.map(\.description))", allowed: "at most 2^48 elements")
        }
        return result
    }
}
