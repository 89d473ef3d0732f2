import GraphIR
import TensorCore

/// ONNX Einsum (12, 28): y[output] = sum over the other labels of the product of all inputs, labels and ellipses as in
/// numpy.einsum.
struct Einsum: Operator {
    static let elementTypes: [DType] = DType.numeric
    private let equation: EinsumEquation
    private var plan: EinsumPlan?

    init(_ node: NodeReader) throws(SardonyxError) {
        let text = try node.required("equation", try node.string("equation"))
        guard let equation = EinsumEquation(text, inputCount: node.inputCount) else {
            throw node.error(
                .graph, "attribute equation", got: "'\(Name(text))'",
                allowed: "one term of letters an input, '->' and output letters")
        }
        self.equation = equation
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        var shapes: [SymbolicShape] = []
        for index in context.inputs.indices {
            try context.requireDType(index, [dtype], "input \(index)")
            guard let shape = try context.shape(index) else { return [Inferred(dtype, nil)] }
            shapes.append(shape)
        }
        let extents = try extents(shapes, at: context)
        let labels = equation.outputLabels(ranks: shapes.map(\.rank))
        return [Inferred(dtype, SymbolicShape(labels.map { extents[$0] ?? .unknown }))]
    }

    /// The extent of every label; extents of 1 stretch.
    /// - Throws: `shape` when a term has not one label an axis, or extents of one label differ.
    private func extents(
        _ shapes: [SymbolicShape], at place: some NodePlace
    ) throws(SardonyxError) -> [EinsumEquation.Label: Dim] {
        var extents: [EinsumEquation.Label: Dim] = [:]
        for (index, shape) in shapes.enumerated() {
            guard let labels = equation.labels(input: index, rank: shape.rank) else {
                throw place.error(
                    .shape, "input \(index) rank", got: "\(shape)", allowed: "one axis for each label of its term",
                    hint: nil)
            }
            for (label, dim) in zip(labels, shape.dims) {
                guard let merged = Broadcast.extent(extents[label] ?? .known(1), dim) else {
                    throw place.error(
                        .shape, "extent of label \(label) in input \(index)", got: "\(dim)",
                        allowed: "\(extents[label] ?? .unknown)", hint: nil)
                }
                extents[label] = merged
            }
        }
        return extents
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        guard try context.output(0).shape.elementCount > 0 else { return }
        var shapes: [Shape] = []
        for index in context.inputs.indices { shapes.append(try context.input(index).shape) }
        let extents = try extents(shapes.map { SymbolicShape($0) }, at: context).mapValues { $0.value ?? 1 }
        // A label that a term repeats walks its diagonal: the strides add up. Axes that stretch are left out.
        let operands = shapes.indices.map { index in
            let own = equation.labels(input: index, rank: shapes[index].rank) ?? []
            var strides: [EinsumEquation.Label: Int] = [:]
            for (axis, label) in own.enumerated() where shapes[index][axis] != 1 {
                strides[label, default: 0] += shapes[index].strides[axis]
            }
            return EinsumOperand(place: .input(index), strides: strides)
        }
        let output = equation.outputLabels(ranks: shapes.map(\.rank))
        plan = try EinsumPlan(operands, output: output, extents: extents, dtype: try context.output(0).dtype, context)
    }

    var scratchByteCount: Int { plan?.scratchByteCount ?? 0 }
    var preparedInputs: [Int] { plan?.preparedInputs ?? [] }

    func run(_ context: RunContext) throws(SardonyxError) { try plan?.run(context) }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        var extents: [EinsumEquation.Label: Int] = [:]
        for (index, input) in inputs.enumerated() {
            guard let shape = input?.shape, let labels = equation.labels(input: index, rank: shape.rank) else {
                return 0
            }
            for (label, extent) in zip(labels, shape) where extents[label] == nil || extent != 1 {
                extents[label] = extent
            }
        }
        return CheckedSize.product(Array(extents.values)) ?? .max
    }
}
