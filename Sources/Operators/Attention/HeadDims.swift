import GraphIR
import TensorCore

/// The extents of queries, keys or values: `[batch, heads, length, depth]`, or `[batch, length, heads * depth]` with
/// the number of heads from an attribute.
struct HeadDims: Sendable {
    var batch, heads, length, depth: Dim
    var isByRow: Bool

    /// - Throws: `shape` when the rank is neither 3 nor 4 or the heads do not divide the last axis.
    init(_ shape: SymbolicShape, heads count: Int?, _ role: String, at place: some NodePlace) throws(SardonyxError) {
        isByRow = shape.rank == 3
        switch shape.rank {
        case 4: (batch, heads, length, depth) = (shape.dims[0], shape.dims[1], shape.dims[2], shape.dims[3])
        case 3:
            guard let count else {
                throw place.error(
                    .graph, "number of heads of \(role)", got: "none", allowed: "an attribute for rank 3", hint: nil)
            }
            (batch, heads, length) = (shape.dims[0], .known(count), shape.dims[1])
            if let hidden = shape.dims[2].value {
                guard hidden % count == 0 else {
                    throw place.error(
                        .shape, "last axis of \(role)", got: "\(shape)", allowed: "a multiple of \(count) heads",
                        hint: nil)
                }
                depth = .known(hidden / count)
            } else {
                depth = .unknown
            }
        default:
            throw place.error(.shape, "\(role) rank", got: "\(shape)", allowed: "rank 3 or 4", hint: nil)
        }
    }

    /// `[batch, heads, length, depth]`
    var byHead: SymbolicShape { SymbolicShape([batch, heads, length, depth]) }

    /// The strides of a tensor of these extents, all of which are known.
    func view() -> AttentionForm.View? {
        guard let heads = heads.value, let rows = length.value, let columns = depth.value else { return nil }
        return isByRow
            ? .byRow(heads: heads, rows: rows, columns: columns) : .byHead(heads: heads, rows: rows, columns: columns)
    }

    /// How to copy the tensor into rows `first…` of `[batch, heads, rows, depth]`.
    func copy(into rows: Int, at first: Int = 0) -> StridedCopy? {
        guard let from = view(), let dims = byHead.knownDims else { return nil }
        let to = AttentionForm.View.byHead(heads: dims[1], rows: rows, columns: dims[3])
        return StridedCopy(
            dims: dims, sourceStrides: [from.batch, from.head, from.row, 1],
            destinationStrides: [to.batch, to.head, to.row, 1], destinationOffset: first * dims[3])
    }
}

extension NodePlace {
    /// - Throws: `shape` when both extents are known and differ.
    func requireEqual(_ a: Dim, _ b: Dim, _ role: String) throws(SardonyxError) {
        guard let x = a.value, let y = b.value, x != y else { return }
        throw error(.shape, role, got: "\(x) and \(y)", allowed: "equal", hint: nil)
    }
}

extension NodeReader {
    /// An attribute that must be positive where it is given.
    func positive(_ name: String) throws(SardonyxError) -> Int? {
        guard let value = try int(name) else { return nil }
        guard value > 0, value <= CheckedSize.maximumElements else {
            throw error(.shape, "attribute \(name)", got: "\(value)", allowed: "1 or more")
        }
        return value
    }
}
