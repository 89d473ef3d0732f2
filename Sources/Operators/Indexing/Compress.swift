import GraphIR
import TensorCore

/// ONNX Compress (9-28): the slices of `axis`, or of the flattened input, whose condition is true.
struct Compress: Operator {
    private let axis: Int?

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [.bool], "condition")
        try context.requireRank(1, 1...1, "condition")
        guard let axis else { return [Inferred(dtype, [.unknown])] }
        guard var output = try context.shape(0) else { return [Inferred(dtype, nil)] }
        output.dims[try context.axis(axis, rank: output.rank)] = .unknown
        return [Inferred(dtype, output)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let condition = try context.input(1).elements(Bool.self)
        let source = axis == nil ? try context.shape(of: [input.elementCount]) : input.shape
        let axis = try context.axis(axis ?? 0, rank: source.rank)
        guard condition.count <= source[axis] else {
            throw context.error(
                .shape, "condition", got: "\(condition.count) elements", allowed: "at most \(source[axis])")
        }
        let rows = try CheckedIndices(count: condition.lazy.filter { $0 }.count, scratch: nil, context)
        var next = 0
        for (index, isKept) in condition.enumerated() where isKept {
            rows.pointer[next] = Int64(index)
            next += 1
        }
        var dims = source.dims
        dims[axis] = rows.count
        let output = try context.output(0, dtype: input.dtype, shape: try context.shape(of: dims))
        rows.gather(
            from: input, to: output, outer: dims[..<axis].reduce(1, *), extent: source[axis],
            row: dims[(axis + 1)...].reduce(1, *),
            threads: context.threads)
    }
}
