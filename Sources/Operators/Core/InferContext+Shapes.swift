import GraphIR
import TensorCore

extension InferContext {
    /// The input's extents, all unknown when its shape is.
    /// - Throws: `shape` when the rank is another one.
    func dims(_ index: Int, rank: Int, _ role: String) throws(SardonyxError) -> [Dim] {
        try requireRank(index, rank...rank, role)
        return try shape(index)?.dims ?? [Dim](repeating: .unknown, count: rank)
    }

    /// Checks a present input against extents as far as both are known.
    /// - Throws: `shape` when the rank or a known extent is another one.
    func requireShape(_ index: Int, _ expected: [Dim], _ role: String) throws(SardonyxError) {
        guard hasInput(index), let shape = try shape(index) else { return }
        let fits = zip(shape.dims, expected).allSatisfy { given, wanted in
            given.value == nil || wanted.value == nil || given == wanted
        }
        guard shape.rank == expected.count, fits else {
            throw error(.shape, role, got: "\(shape)", allowed: "\(SymbolicShape(expected))")
        }
    }

    /// The extents of the first input of a rank that knows each of them; unknown where none does.
    /// - Parameter sources: inputs and the axes of theirs that have this extent.
    func extent(_ sources: (input: Int, axis: Int)...) throws(SardonyxError) -> Dim {
        for (input, axis) in sources where hasInput(input) {
            guard let dims = try shape(input)?.dims, axis < dims.count, dims[axis].value != nil else { continue }
            return dims[axis]
        }
        return .unknown
    }
}
