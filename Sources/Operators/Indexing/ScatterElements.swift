import GraphIR
import TensorCore

/// ONNX ScatterElements (11-18) and Scatter (9-11): the data with single elements replaced or reduced.
struct ScatterElements: Operator {
    private let axis: Int
    private let reduction: ScatterReduction
    private var scratch = IndexScratch()
    var scratchByteCount: Int { scratch.byteCount }

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 0)
        reduction = try node.choice("reduction", default: .none)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, DType.indices, "indices")
        try context.requireDType(2, [dtype], "updates")
        let data = try context.shape(0)
        if let data, let indices = try context.shape(1) {
            try ElementIndexing.check(data.dims, indices.dims, axis: axis, at: context)
            if let updates = try context.shape(2)?.knownDims, let known = indices.knownDims, updates != known {
                throw context.error(.shape, "updates shape", got: "\(updates)", allowed: "\(known) as the indices")
            }
        }
        return [Inferred(dtype, data)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratch.reserve(forInput: 1, context)
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let data = try context.input(0)
        let shape = try context.input(1).shape
        let updates = try context.input(2)
        let axis = try ElementIndexing.check(
            data.shape.dims.map(Dim.known), shape.dims.map(Dim.known), axis: axis, at: context)
        guard updates.shape == shape else {
            throw context.error(.shape, "updates shape", got: "\(updates.shape)", allowed: "\(shape) as the indices")
        }
        let indices = try CheckedIndices.along(
            extent: data.shape[axis], of: 1, "indices", scratch: scratch.memory(context), context)
        let output = try context.output(0, dtype: data.dtype, shape: data.shape)
        try data.copyElements(to: output, threads: context.threads)
        let walk = Walk(data: data.shape, shape: shape, axis: axis, indices: indices)
        try context.placing { () throws(SardonyxError) in try reduction.apply(updates, to: output, walk) }
    }

    private struct Walk: ScatterWalk {
        let data: Shape
        let shape: Shape
        let axis: Int
        let indices: CheckedIndices

        @inline(__always)
        func forEach(_ body: (Int, Int) -> Void) {
            ElementIndexing.forEach(data: data, indices: shape, axis: axis, indices.pointer, body)
        }
    }
}
