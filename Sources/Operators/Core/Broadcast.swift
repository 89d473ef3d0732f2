import GraphIR
import TensorCore

/// Multidirectional broadcasting (ONNX "Broadcasting in ONNX"): shapes aligned at their last axes, extents of 1 stretched.
package enum Broadcast {
    /// The broadcast extent, or `nil` when the two are known and cannot meet.
    static func extent(_ a: Dim, _ b: Dim) -> Dim? {
        if a == b { return a }
        switch (a, b) {
        case (.known(1), let other), (let other, .known(1)): return other
        case (.known, .known): return nil
        case (.known(let value), _), (_, .known(let value)): return .known(value)
        default: return .unknown
        }
    }

    /// The broadcast of all shapes; `nil` when the rank of one is unknown.
    /// - Throws: `shape`, placed at `place`, when known extents cannot meet.
    package static func shape(_ shapes: [SymbolicShape?], at place: some NodePlace) throws(SardonyxError)
        -> SymbolicShape?
    {
        var result: SymbolicShape? = []
        for shape in shapes {
            guard let known = shape, let dims = result?.dims else {
                result = nil
                break
            }
            let rank = max(dims.count, known.rank)
            var merged: [Dim] = []
            for axis in 0..<rank {
                let a = axis + dims.count - rank
                let b = axis + known.rank - rank
                guard let dim = extent(a < 0 ? .known(1) : dims[a], b < 0 ? .known(1) : known.dims[b]) else {
                    throw place.error(
                        .shape, "shapes do not broadcast at axis \(axis - rank)",
                        got: shapes.map { $0?.description ?? "[…]" }.joined(separator: " and "),
                        allowed: "equal extents or 1", hint: nil)
                }
                merged.append(dim)
            }
            result = SymbolicShape(merged)
        }
        return result
    }

    /// The broadcast of concrete shapes.
    /// - Throws: `shape` when they cannot meet, `limit` when the result is too large.
    package static func shape(_ shapes: [Shape], at place: some NodePlace) throws(SardonyxError) -> Shape {
        guard let dims = try shape(shapes.map { SymbolicShape($0) }, at: place)?.knownDims else {
            throw place.error(
                .internal, "concrete shapes broadcast to an unknown one", got: nil, allowed: nil, hint: nil)
        }
        return try place.shape(of: dims)
    }

    /// Element strides that walk a tensor of shape `source` as if it had the shape `target`: 0 on stretched axes.
    /// `source` broadcasts to `target`.
    package static func strides(of source: Shape, in target: Shape) -> [Int] {
        let own = source.strides
        return (0..<target.rank).map { axis in
            let mine = axis + source.rank - target.rank
            return mine < 0 || source[mine] == 1 && target[axis] != 1 ? 0 : own[mine]
        }
    }
}
