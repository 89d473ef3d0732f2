import GraphIR
import TensorCore

/// ONNX ConstantOfShape (9-25): a tensor of the given extents filled with one value, by default float32 0.
struct ConstantOfShape: Operator {
    private let value: Tensor

    init(_ node: NodeReader) throws(SardonyxError) {
        if let constant = try node.tensor("value") {
            value = try constant.tensor()
        } else {
            value = try Tensor([Float(0)], dims: [1])
        }
        guard value.shape.elementCount == 1 else {
            throw node.error(.shape, "attribute value", got: "\(value.shape)", allowed: "one element")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 1...1, "shape")
        guard let dims = try context.content(0) else {
            let rank = try context.length(0)
            return [Inferred(value.dtype, rank.map { SymbolicShape([Dim](repeating: .unknown, count: $0)) })]
        }
        if let known = SymbolicShape(dims).knownDims { _ = try context.shape(of: known) }
        var content: [Dim]?
        if let count = dims.isEmpty ? 1 : dims[0].value, dims.count <= 1, count <= Inferred.contentLimit,
            let number = value.integers()?.first
        {
            content = [Dim](repeating: .known(number), count: count)
        }
        return [Inferred.following(value.dtype, SymbolicShape(dims), content)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let shape = try context.shape(of: try context.integers(0) ?? [])
        try context.output(0, dtype: value.dtype, shape: shape).fill(with: value.pointer, threads: context.threads)
    }
}
