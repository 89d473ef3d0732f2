import GraphIR
import TensorCore

/// ONNX SplitToSequence (11-24): the parts of a tensor along `axis`, of one extent, of given extents, or single slices,
/// which may lose the axis.
struct SplitToSequence: Operator {
    private let axis: Int
    private let keepsAxis: Bool
    private let hasSplit: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 0)
        hasSplit = node.hasInput(1)
        keepsAxis = hasSplit ? true : try node.bool("keepdims", default: true)
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        if hasSplit { try context.requireDType(1, [.int32, .int64], "split") }
        guard var shape = try context.shape(0) else { return [Inferred(.sequence(.tensor(dtype, nil)))] }
        let axis = try context.axis(axis, rank: shape.rank)
        if keepsAxis { shape.dims[axis] = hasSplit ? .unknown : .known(1) } else { shape.dims.remove(at: axis) }
        return [Inferred(.sequence(.tensor(dtype, shape)))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.tensor(0)
        let axis = try context.axis(axis, rank: input.shape.rank)
        let extents = try extents(of: input.shape[axis], context)
        let total = CheckedSize.product(extents.count, TensorSequence.elementOverhead).flatMap {
            CheckedSize.sum($0, input.byteCount)
        }
        try context.budget.check(total ?? .max, for: context.label)
        let outer = input.shape.dims[..<axis].reduce(1, *)
        let inner = input.shape.dims[(axis + 1)...].reduce(1, *)
        var sequence = TensorSequence(input.dtype)
        var start = 0
        for extent in extents {
            try context.interruption?.check()
            var dims = input.shape.dims
            if keepsAxis { dims[axis] = extent } else { dims.remove(at: axis) }
            let part = try Tensor(dtype: input.dtype, shape: try context.shape(of: dims)) {
                (memory) throws(SardonyxError) in
                StridedCopy(
                    dims: [outer, extent * inner], sourceStrides: [input.shape[axis] * inner, 1],
                    sourceOffset: start * inner, destinationStrides: [extent * inner, 1]
                ).run(from: input.pointer, to: memory, input.dtype, threads: context.threads)
            }
            try sequence.append(part)
            start += extent
        }
        withExtendedLifetime(input) {}
        try context.setOutput(0, .sequence(sequence))
    }

    private func extents(of whole: Int, _ context: RunContext) throws(SardonyxError) -> [Int] {
        var step = 1
        if let given = try context.integers(1) {
            guard try context.input(1).shape.rank == 0, given.count == 1 else {
                guard given.allSatisfy({ $0 >= 0 }), CheckedSize.sum(given) == whole else {
                    throw context.error(.value, "split", got: "\(given)", allowed: "extents of sum \(whole)")
                }
                return given
            }
            guard given[0] > 0 else { throw context.error(.value, "split", got: "\(given[0])", allowed: "1 or more") }
            step = given[0]
        }
        let count = whole / step + (whole % step == 0 ? 0 : 1)
        try context.budget.check(CheckedSize.product(count, 8) ?? .max, for: context.label)
        return (0..<count).map { min(step, whole - $0 * step) }
    }
}
