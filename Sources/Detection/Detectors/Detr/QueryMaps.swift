import TensorCore

/// Mask logits of one picture's queries, `[Q, h, w]` over the network's input; valid while the tensor lives.
struct QueryMaps {
    let rows: Int
    let columns: Int
    private let values: UnsafePointer<Float>

    /// - Throws: `input` when they are not the maps of `queries` queries.
    init(_ head: HeadTensor, queries: Int) throws(SardonyxError) {
        try head.expect([queries, nil, nil])
        if queries > 0 { try head.expectNotEmpty() }
        (rows, columns, values) = (head.dims[1], head.dims[2], head.values)
    }

    func map(_ query: Int) -> UnsafePointer<Float> { values + query * rows * columns }

    /// One mask a query listed: its logits resampled to the picture, above the threshold's logit, not cut.
    /// - Throws: `limit` when there is no memory.
    func masks(
        of queries: [Int], placement: Placement, options: DetectionOptions, threads: Int
    ) throws(SardonyxError) -> [RLE] {
        guard !queries.isEmpty else { return [] }
        return try MapMasks(
            columns: columns, rows: rows, placement: placement, sigmoid: false,
            threshold: Sigmoid.logit(options.maskThreshold ?? 0.5), threads: threads
        ).masks(queries.map { .floats(map($0)) })
    }
}
