import GraphIR
import TensorCore

/// ONNX Concat (1-13): the inputs end to end along `axis`.
struct Concat: CopyingOperator {
    private let axis: Int
    private let count: Int
    var plan: CopyPlan?

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = node.opset < 4 ? try node.int("axis", default: 1) : try node.required("axis", try node.int("axis"))
        count = node.inputCount
        guard count > 0 else { throw node.error(.graph, "inputs", got: "none", allowed: "1 or more") }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        var dims: [Dim]?
        var along: [Dim] = []
        for index in 0..<count {
            guard try context.dtype(index) == dtype else {
                throw context.error(
                    .graph, "input \(index) element type", got: "\(try context.dtype(index))", allowed: "\(dtype)")
            }
            guard let shape = try context.shape(index) else {
                along.append(.unknown)
                continue
            }
            let axis = try context.axis(axis, rank: shape.rank)
            along.append(shape.dims[axis])
            guard var merged = dims else {
                dims = shape.dims
                continue
            }
            guard merged.count == shape.rank else {
                throw context.error(.shape, "input \(index) rank", got: "\(shape)", allowed: "rank \(merged.count)")
            }
            for other in merged.indices where other != axis {
                if merged[other].value == nil { merged[other] = shape.dims[other] }
                guard let extent = shape.dims[other].value, extent != merged[other].value else { continue }
                throw context.error(
                    .shape, "input \(index): axis \(other)", got: "\(shape)",
                    allowed: "\(merged[other]) as in \(SymbolicShape(merged))")
            }
            dims = merged
        }
        guard var dims else { return [Inferred(dtype, nil)] }
        dims[try context.axis(axis, rank: dims.count)] = try context.sum(along)
        var content: [Dim]? = []
        for index in 0..<count {
            let part = try context.content(index)
            content = part.flatMap { part in content.map { $0 + part } }
        }
        return [Inferred.following(dtype, SymbolicShape(dims), content)]
    }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation {
        guard let output = outputs.first??.shape, axis >= -output.rank, axis < output.rank else { return .separate }
        return output.dims.prefix(axis < 0 ? axis + output.rank : axis).allSatisfy { $0 == 1 } ? .join : .separate
    }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        let infos = inputs.compactMap { $0 }
        guard infos.count == count, axis == 1 || axis == -3, infos.contains(where: { $0.layout == .blocked16 }),
            infos.allSatisfy({
                $0.dtype == .float32 && $0.shape.rank == 4 && $0.shape[1].isMultiple(of: Layout.blockSize)
            })
        else { return nil }
        return LayoutChoice(inputs: infos.map { _ in .blocked16 }, outputs: [.blocked16])
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        var shapes: [Shape] = []
        for index in 0..<count { shapes.append(try operands.operand(index).shape) }
        var dims = shapes[0].dims
        let axis = try operands.axis(axis, rank: dims.count)
        var total = 0
        for (index, shape) in shapes.enumerated() {
            guard shape.rank == dims.count, shape.indices.allSatisfy({ $0 == axis || shape[$0] == dims[$0] }) else {
                throw operands.error(
                    .shape, "input \(index)", got: "\(shape)", allowed: "\(shapes[0]) but for axis \(axis)", hint: nil)
            }
            guard let sum = CheckedSize.sum(total, shape[axis]) else {
                throw operands.error(
                    .limit, "axis \(axis)", got: "\(shapes)", allowed: "at most 2^48 elements", hint: nil)
            }
            total = sum
        }
        dims[axis] = total
        let output = try operands.shape(of: dims)
        var plan = CopyPlan([output])
        // A blocked tensor is [N, C/16, H·W·16]: blocks of channels lie end to end just as channels do.
        let outputStrides = output.strides
        var offset = 0
        for (index, shape) in shapes.enumerated() {
            let run = shape.strides[axis] * shape[axis]
            let outer = shape.dims.prefix(axis).reduce(1, *)
            plan.add(
                input: index,
                StridedCopy(
                    dims: [outer, run], sourceStrides: [run, 1],
                    destinationStrides: [outputStrides[axis] * total, 1], destinationOffset: offset))
            offset += outputStrides[axis] * shape[axis]
        }
        return plan
    }
}
