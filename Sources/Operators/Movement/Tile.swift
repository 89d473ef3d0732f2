import GraphIR
import TensorCore

/// ONNX Tile (1-13): the input repeated along its axes; version 1 repeats one axis.
struct Tile: CopyingOperator {
    private let isSingleAxis: Bool
    var plan: CopyPlan?
    var parameterInputs: [Int] { isSingleAxis ? [1, 2] : [1] }

    init(_ node: NodeReader) throws(SardonyxError) {
        isSingleAxis = node.opset < 6
    }

    private func repeats(
        _ given: [Int], axis: Int?, rank: Int, at place: some NodePlace
    ) throws(SardonyxError) -> [Int] {
        var repeats = given
        if let axis, let count = given.first {
            repeats = [Int](repeating: 1, count: rank)
            repeats[try place.axis(axis, rank: rank)] = count
        }
        guard repeats.count == rank, repeats.allSatisfy({ $0 >= 0 }) else {
            throw place.error(.shape, "repeats", got: "\(given)", allowed: "\(rank) numbers of 0 or more", hint: nil)
        }
        return repeats
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard let input = try context.shape(0) else { return [Inferred(dtype, nil)] }
        let axis = isSingleAxis ? try context.integers(2)?.first : nil
        guard let given = try context.integers(1), !isSingleAxis || axis != nil else {
            return [Inferred(dtype, SymbolicShape([Dim](repeating: .unknown, count: input.rank)))]
        }
        var output = input
        for (index, count) in try repeats(given, axis: axis, rank: input.rank, at: context).enumerated() {
            output.dims[index] = try context.product([input.dims[index], .known(count)])
        }
        var content = try context.content(0)
        if let all = content, !all.isEmpty, let total = output.dims.first?.value, total <= Inferred.contentLimit {
            content = (0..<total).map { all[$0 % all.count] }
        }
        return [Inferred.following(dtype, output, content)]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        let input = try operands.operand(0).shape
        let axis = isSingleAxis ? try operands.integers(2)?.first : nil
        let repeats = try repeats(try operands.integers(1) ?? [], axis: axis, rank: input.rank, at: operands)
        var dims: [Int] = []
        for (extent, count) in zip(input.dims, repeats) {
            guard let product = CheckedSize.product(extent, count) else {
                throw operands.error(
                    .limit, "repeats", got: "\(repeats) of \(input)", allowed: "at most 2^48 elements", hint: nil)
            }
            dims.append(product)
        }
        let output = try operands.shape(of: dims)
        // Each axis becomes two: the repetition, which does not move in the input, and the extent.
        let (from, to) = (input.strides, output.strides)
        var plan = CopyPlan([output])
        plan.add(
            StridedCopy(
                dims: input.indices.flatMap { [repeats[$0], input[$0]] }, sourceStrides: from.flatMap { [0, $0] },
                destinationStrides: input.indices.flatMap {
                    [output.elementCount == 0 ? 0 : to[$0] * input[$0], to[$0]]
                }))
        return plan
    }
}
