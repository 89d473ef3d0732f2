import GraphIR
import TensorCore

/// ONNX Shape (1-25): the input's extents from `start` to before `end`; Size (1-25): their product.
struct ShapeOperator: Operator {
    private let start: Int
    private let end: Int
    private let isSize: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        isSize = node.node.opType == "Size"
        start = try node.int("start", default: 0)
        end = try node.int("end", default: .max)
    }

    private func taken(rank: Int) -> Swift.Range<Int> {
        func clamp(_ axis: Int) -> Int { axis >= 0 ? min(axis, rank) : axis < -rank ? 0 : axis + rank }
        return clamp(start)..<max(clamp(start), clamp(end))
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        guard let input = try context.shape(0) else { return [Inferred(.int64, isSize ? [] : [.unknown])] }
        if isSize {
            let total = try context.product(input.dims)
            return [Inferred(.int64, [], content: total == .unknown ? nil : [total])]
        }
        let dims = Array(input.dims[taken(rank: input.rank)])
        return [Inferred(.int64, [.known(dims.count)], content: dims)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0).shape
        let range = taken(rank: input.rank)
        let shape = isSize ? Shape.scalar : try context.shape(of: [range.count])
        let target = try context.output(0, dtype: .int64, shape: shape).elements(Int64.self)
        guard !isSize else {
            target[0] = Int64(input.elementCount)
            return
        }
        for (index, axis) in range.enumerated() { target[index] = Int64(input[axis]) }
    }
}
