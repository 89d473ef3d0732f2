import GraphIR
import TensorCore

/// ONNX TensorScatter (24): a cache with an update written into it along `axis`, from the index on that each batch
/// entry gives; past the end an error, or from the start again where `mode` is circular.
struct TensorScatter: Operator {
    private enum Mode: String, CaseIterable, Sendable { case linear, circular }

    private let mode: Mode
    private let axis: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        mode = try node.choice("mode", default: .linear)
        axis = try node.int("axis", default: -2)
    }

    private func sequenceAxis(rank: Int, at place: some NodePlace) throws(SardonyxError) -> Int {
        let result = try place.axis(axis, rank: rank)
        guard result > 0 else {
            throw place.error(.shape, "axis", got: "\(axis)", allowed: "not the batch axis", hint: nil)
        }
        return result
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [dtype], "update")
        try context.requireRank(0, 2...64, "past_cache")
        let cache = try context.shape(0)
        if let cache {
            let axis = try sequenceAxis(rank: cache.rank, at: context)
            var update = cache.dims
            update[axis] = .unknown
            try context.requireShape(1, update, "update")
            try context.requireShape(2, [cache.dims[0]], "write_indices")
        }
        return [Inferred(dtype, cache)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (cache, update) = (try context.input(0), try context.input(1))
        let output = try context.output(0, dtype: cache.dtype, shape: cache.shape)
        let axis = try sequenceAxis(rank: cache.shape.rank, at: context)
        let (length, count) = (cache.shape[axis], update.shape[axis])
        guard count <= length else {
            throw context.error(.shape, "update", got: "\(update.shape)", allowed: "at most \(length) on axis \(axis)")
        }
        let starts = try context.integers(2)
        for (batch, start) in (starts ?? []).enumerated() {
            let past = mode == .circular ? length : length - count + 1
            guard start >= 0, start < max(past, 1) else {
                throw context.error(
                    .value, "write_indices: element \(batch)", got: "\(start)", allowed: "0 to \(past - 1)")
            }
        }
        try cache.copyElements(to: output, threads: context.threads)
        let strides = (cache: cache.shape.strides, update: update.shape.strides)
        var box = update.shape.dims
        box.removeFirst()
        for batch in 0..<cache.shape[0] {
            let start = starts?[batch] ?? 0
            let first = min(count, length - start)
            for (from, to, extent) in [(0, start, first), (first, 0, count - first)] where extent > 0 {
                box[axis - 1] = extent
                StridedCopy(
                    dims: box, sourceStrides: Array(strides.update[1...]),
                    sourceOffset: batch * strides.update[0] + from * strides.update[axis],
                    destinationStrides: Array(strides.cache[1...]),
                    destinationOffset: batch * strides.cache[0] + to * strides.cache[axis]
                ).run(from: update.pointer, to: output.pointer, cache.dtype, threads: context.threads)
            }
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }
}
