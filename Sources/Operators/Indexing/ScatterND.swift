import GraphIR
import TensorCore

/// ONNX ScatterND (11-18): the data with slices, addressed by index tuples, replaced or reduced.
struct ScatterND: Operator {
    private let reduction: ScatterReduction
    private var scratch = IndexScratch()
    var scratchByteCount: Int { scratch.byteCount }

    init(_ node: NodeReader) throws(SardonyxError) {
        reduction = try node.choice("reduction", default: .none)
    }

    /// The shape of the updates that data and indices ask for; `nil` when not known.
    private func updateDims(_ data: [Dim], _ indices: [Dim], at place: some NodePlace) throws(SardonyxError) -> [Dim]? {
        guard data.count >= 1, let last = indices.last else {
            throw place.error(
                .shape, "ranks of data and indices", got: "\(data.count) and \(indices.count)", allowed: "1 or more",
                hint: nil)
        }
        guard let depth = last.value else { return nil }
        guard depth <= data.count else {
            throw place.error(.shape, "indices: last axis", got: "\(depth)", allowed: "0 to \(data.count)", hint: nil)
        }
        return Array(indices.dropLast()) + Array(data[depth...])
    }

    private func requireShape(_ updates: [Dim], _ wanted: [Dim], at place: some NodePlace) throws(SardonyxError) {
        guard let given = SymbolicShape(updates).knownDims, let asked = SymbolicShape(wanted).knownDims, given != asked
        else { return }
        throw place.error(.shape, "updates shape", got: "\(given)", allowed: "\(asked)", hint: nil)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [.int64], "indices")
        try context.requireDType(2, [dtype], "updates")
        let data = try context.shape(0)
        if let data, let indices = try context.shape(1),
            let wanted = try updateDims(data.dims, indices.dims, at: context),
            let updates = try context.shape(2)
        {
            try requireShape(updates.dims, wanted, at: context)
        }
        return [Inferred(dtype, data)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratch.reserve(forInput: 1, tuples: true, context)
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let data = try context.input(0)
        let indices = try context.input(1).shape.dims
        let updates = try context.input(2)
        let wanted = try updateDims(data.shape.dims.map(Dim.known), indices.map(Dim.known), at: context) ?? []
        try requireShape(updates.shape.dims.map(Dim.known), wanted, at: context)
        let depth = indices.last ?? 0
        let rows = try CheckedIndices.tuples(
            extents: data.shape.dims[..<depth], batches: 1, of: 1, "indices",
            scratch: scratch.memory(context), context)
        let output = try context.output(0, dtype: data.dtype, shape: data.shape)
        try data.copyElements(to: output, threads: context.threads)
        let walk = Walk(rows: rows, row: data.shape.dims[depth...].reduce(1, *))
        if reduction == .none { return try withStorageType(data.dtype, Placed(walk: walk, updates, output)) }
        try context.placing { () throws(SardonyxError) in try reduction.apply(updates, to: output, walk) }
    }

    /// Whole rows put where the indices say, later ones over earlier ones.
    private struct Placed: StorageBody {
        let walk: Walk
        let updates: TensorView
        let output: TensorView

        init(walk: Walk, _ updates: TensorView, _ output: TensorView) {
            self.walk = walk
            self.updates = updates
            self.output = output
        }

        func run<T>(_ type: T.Type) {
            let (source, target) = (updates.typed(T.self), output.typed(T.self))
            for tuple in 0..<walk.rows.count {
                (target + Int(walk.rows.pointer[tuple]) * walk.row)
                    .update(from: source + tuple * walk.row, count: walk.row)
            }
        }
    }

    private struct Walk: ScatterWalk {
        let rows: CheckedIndices
        let row: Int

        @inline(__always)
        func forEach(_ body: (Int, Int) -> Void) {
            for tuple in 0..<rows.count {
                let base = Int(rows.pointer[tuple]) * row
                for column in 0..<row { body(tuple * row + column, base + column) }
            }
        }
    }
}
