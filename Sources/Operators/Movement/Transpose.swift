import GraphIR
import TensorCore

/// ONNX Transpose (1-25): output axis `i` is input axis `perm[i]`; reversed order when `perm` is absent.
struct Transpose: CopyingOperator {
    private let permutation: [Int]?
    var plan: CopyPlan?

    init(_ node: NodeReader) throws(SardonyxError) {
        permutation = try node.ints("perm")
    }

    private func axes(rank: Int, at place: some NodePlace) throws(SardonyxError) -> [Int] {
        guard let permutation else { return Array((0..<rank).reversed()) }
        guard permutation.sorted() == Array(0..<rank) else {
            throw place.error(
                .shape, "attribute perm", got: "\(permutation)", allowed: "each of the \(rank) axes once", hint: nil)
        }
        return permutation
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard let input = try context.shape(0) else {
            return [Inferred(dtype, permutation.map { SymbolicShape([Dim](repeating: .unknown, count: $0.count)) })]
        }
        let output = SymbolicShape(try axes(rank: input.rank, at: context).map { input.dims[$0] })
        return [Inferred.following(dtype, output, try context.content(0))]
    }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation {
        guard let shape = inputs.first??.shape else { return .separate }
        let axes = permutation ?? (0..<shape.rank).reversed()
        // Moving axes of extent 1 alone moves no element.
        let moved = axes.filter { shape[$0] != 1 }
        return moved == moved.sorted() ? .view(input: 0) : .separate
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        let input = try operands.operand(0).shape
        let axes = try axes(rank: input.rank, at: operands)
        let strides = input.strides
        let output = try operands.shape(of: axes.map { input[$0] })
        var plan = CopyPlan([output])
        plan.add(
            StridedCopy(dims: output.dims, sourceStrides: axes.map { strides[$0] }, destinationStrides: output.strides))
        return plan
    }
}
