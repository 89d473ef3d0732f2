import GraphIR
import TensorCore

/// ONNX ConcatFromSequence (11): the tensors of a sequence end to end along `axis`, which is new if `new_axis` is 1.
struct ConcatFromSequence: Operator {
    private let axis: Int
    private let isNewAxis: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.required("axis", try node.int("axis"))
        isNewAxis = try node.bool("new_axis", default: false)
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        guard case .tensor(let dtype, let shape) = try context.sequenceElement(0) else {
            throw context.error(.graph, "input 0 must be a sequence of tensors")
        }
        guard var shape else { return [Inferred(dtype, nil)] }
        let axis = try context.axis(axis, rank: shape.rank + (isNewAxis ? 1 : 0))
        if isNewAxis { shape.dims.insert(.unknown, at: axis) } else { shape.dims[axis] = .unknown }
        return [Inferred(dtype, shape)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let sequence = try context.sequence(0)
        guard let first = sequence.elements.first?.shape else { throw context.error(.value, "the sequence is empty") }
        let axis = try context.axis(axis, rank: first.rank + (isNewAxis ? 1 : 0))
        var total = 0
        for (index, element) in sequence.elements.enumerated() {
            let shape = element.shape
            let fits =
                isNewAxis
                ? shape == first
                : shape.rank == first.rank && shape.indices.allSatisfy { $0 == axis || shape[$0] == first[$0] }
            guard fits else {
                throw context.error(
                    .shape, "element \(index)", got: "\(shape)",
                    allowed: isNewAxis ? "\(first)" : "\(first) but for axis \(axis)")
            }
            guard let sum = CheckedSize.sum(total, isNewAxis ? 1 : shape[axis]) else {
                throw context.error(.limit, "axis \(axis)", got: "more than 2^63", allowed: "at most 2^48 elements")
            }
            total = sum
        }
        var dims = first.dims
        if isNewAxis { dims.insert(total, at: axis) } else { dims[axis] = total }
        let shape = try context.shape(of: dims)
        let output = try context.output(0, dtype: sequence.dtype, shape: shape)
        let outer = dims[..<axis].reduce(1, *)
        let row = dims[axis...].reduce(1, *)
        var start = 0
        for element in sequence.elements {
            try context.interruption?.check()
            let run = element.shape.dims[axis...].reduce(1, *)
            StridedCopy(
                dims: [outer, run], sourceStrides: [run, 1], destinationStrides: [row, 1], destinationOffset: start
            ).run(from: element.pointer, to: output.pointer, sequence.dtype, threads: context.threads)
            start += run
        }
        withExtendedLifetime(sequence) {}
    }
}
