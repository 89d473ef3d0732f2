import GraphIR
import TensorCore

/// ONNX ReverseSequence (10-28): per batch entry the first `sequence_lens` time steps in reverse.
struct ReverseSequence: Operator {
    private let batchAxis: Int
    private let timeAxis: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        batchAxis = try node.int("batch_axis", default: 1)
        timeAxis = try node.int("time_axis", default: 0)
        guard Set([batchAxis, timeAxis]) == [0, 1] else {
            throw node.error(
                .shape, "batch_axis and time_axis", got: "\(batchAxis) and \(timeAxis)", allowed: "0 and 1")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        try context.requireRank(1, 1...1, "sequence_lens")
        return [Inferred(try context.dtype(0), try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: input.dtype, shape: input.shape)
        let lengths = try context.integers(1) ?? []
        let steps = input.shape[timeAxis]
        guard lengths.count == input.shape[batchAxis] else {
            throw context.error(
                .shape, "sequence_lens", got: "\(lengths.count) elements", allowed: "\(input.shape[batchAxis])")
        }
        for (batch, length) in lengths.enumerated() where length < 0 || length > steps {
            throw context.error(.value, "sequence_lens: element \(batch)", got: "\(length)", allowed: "0 to \(steps)")
        }
        var rest = input.shape.dims
        let strides = input.shape.strides
        rest.removeFirst(2)
        for (batch, length) in lengths.enumerated() {
            let start = batch * strides[batchAxis]
            let time = strides[timeAxis]
            let inner = Array(strides[2...])
            for (first, count, reversed) in [(0, length, true), (length, steps - length, false)] where count > 0 {
                StridedCopy(
                    dims: [count] + rest, sourceStrides: [reversed ? -time : time] + inner,
                    sourceOffset: start + (reversed ? count - 1 : first) * time,
                    destinationStrides: [time] + inner, destinationOffset: start + first * time
                ).run(from: input.pointer, to: output.pointer, input.dtype, threads: context.threads)
            }
        }
    }
}
