import GraphIR
import TensorCore

/// ONNX Expand (8-13): the input broadcast against a shape.
struct Expand: CopyingOperator {
    var plan: CopyPlan?
    var parameterInputs: [Int] { [1] }

    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        let input = try context.shape(0)
        let output: SymbolicShape?
        if let target = try context.content(1) {
            output = try Broadcast.shape([input, try checked(target, at: context)], at: context)
        } else if let input, let count = try context.length(1) {
            output = SymbolicShape([Dim](repeating: .unknown, count: max(count, input.rank)))
        } else {
            output = nil
        }
        _ = try context.product(output?.dims ?? [])
        var content = try context.content(0)
        if content?.count == 1, let extent = output?.dims.first?.value, output?.rank == 1,
            extent <= Inferred.contentLimit
        {
            content = content.map { [Dim](repeating: $0[0], count: extent) }
        }
        return [Inferred.following(dtype, output, content)]
    }

    private func checked(_ target: [Dim], at place: some NodePlace) throws(SardonyxError) -> SymbolicShape {
        guard target.allSatisfy({ $0.value.map { $0 >= 0 } ?? true }) else {
            throw place.error(
                .shape, "shape", got: "\(SymbolicShape(target))", allowed: "extents of 0 or more", hint: nil)
        }
        return SymbolicShape(target)
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        let input = try operands.operand(0).shape
        let target = try checked((try operands.integers(1) ?? []).map(Dim.known), at: operands)
        let output = try Broadcast.shape([input, try operands.shape(of: target.knownDims ?? [])], at: operands)
        var plan = CopyPlan([output])
        plan.add(
            StridedCopy(
                dims: output.dims, sourceStrides: Broadcast.strides(of: input, in: output),
                destinationStrides: output.strides))
        return plan
    }
}
