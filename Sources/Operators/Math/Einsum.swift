import GraphIR
import TensorCore

/// ONNX Einsum (12, 28): y[output] = sum over the other labels of the product of all inputs, labels and ellipses as in
/// numpy.einsum.
struct Einsum: Operator {
    static let elementTypes: [DType] = DType.numeric
    private let equation: EinsumEquation
    private var loops: Loops?

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

    /// Nested loops: output labels outermost, summed labels inside; a stride of 0 where an input lacks the label.
    private struct Loops: Sendable {
        var outputExtents: [Int]
        var summedExtents: [Int]
        /// By input, then by loop.
        var outputStrides: [[Int]]
        var summedStrides: [[Int]]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        var shapes: [Shape] = []
        for index in context.inputs.indices { shapes.append(try context.input(index).shape) }
        let extents = try extents(shapes.map { SymbolicShape($0) }, at: context)
        let output = equation.outputLabels(ranks: shapes.map(\.rank))
        let summed = extents.keys.filter { !output.contains($0) }.sorted()
        func extent(_ label: EinsumEquation.Label) -> Int { extents[label]?.value ?? 1 }
        func strides(_ labels: [EinsumEquation.Label]) -> [[Int]] {
            shapes.indices.map { index in
                let own = equation.labels(input: index, rank: shapes[index].rank) ?? []
                // A label that a term repeats walks its diagonal: the strides add up.
                return labels.map { label in
                    own.indices.reduce(0) {
                        $0 + (own[$1] == label && shapes[index][$1] != 1 ? shapes[index].strides[$1] : 0)
                    }
                }
            }
        }
        loops = Loops(
            outputExtents: output.map(extent), summedExtents: summed.map(extent), outputStrides: strides(output),
            summedStrides: strides(summed))
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard let loops, try context.output(0).elementCount > 0 else { return }
        let body = Body(loops: loops, context: context)
        try context.placing { () throws(SardonyxError) in try withNumber(try context.output(0).dtype, body) }
    }

    private struct Body: NumberBody {
        let loops: Loops
        let context: RunContext

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            var operands: [UnsafeMutablePointer<T>] = []
            for index in context.inputs.indices { operands.append(try context.input(index).typed(T.self)) }
            let y = try context.output(0).elements(T.self)
            var outer = [Int](repeating: 0, count: operands.count)
            var written = 0
            var steps = 0
            func sum(_ axis: Int, _ offsets: [Int]) throws(SardonyxError) -> T {
                steps += 1
                if steps % (1 << 16) == 0 { try context.interruption?.check() }
                guard axis < loops.summedExtents.count else {
                    var product = operands[0][offsets[0]]
                    for index in operands.indices.dropFirst() {
                        product = T.wrappingProduct(product, operands[index][offsets[index]])
                    }
                    return product
                }
                var (total, offsets) = (T.zero, offsets)
                for _ in 0..<loops.summedExtents[axis] {
                    total = T.wrappingSum(total, try sum(axis + 1, offsets))
                    for index in offsets.indices { offsets[index] += loops.summedStrides[index][axis] }
                }
                return total
            }
            func walk(_ axis: Int) throws(SardonyxError) {
                guard axis < loops.outputExtents.count else {
                    y[written] = try sum(0, outer)
                    written += 1
                    return
                }
                let start = outer
                for _ in 0..<loops.outputExtents[axis] {
                    try walk(axis + 1)
                    for index in outer.indices { outer[index] += loops.outputStrides[index][axis] }
                }
                outer = start
            }
            try walk(0)
        }
    }

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
