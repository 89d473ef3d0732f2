import GraphIR
import TensorCore

/// ONNX Split (1-18): consecutive parts along `axis`, of given extents or equal ones.
struct Split: CopyingOperator {
    private let axis: Int
    private let attribute: [Int]?
    private let count: Int
    /// Before version 18 equal parts must divide the extent; since then the last part may be smaller.
    private let allowsSmallerLast: Bool
    var plan: CopyPlan?
    var parameterInputs: [Int] { attribute == nil ? [1] : [] }

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 0)
        attribute = node.opset < 13 ? try node.ints("split") : nil
        count = node.outputCount
        allowsSmallerLast = node.opset >= 18
        if let parts = try node.int("num_outputs"), parts != count {
            throw node.error(
                .graph, "attribute num_outputs", got: "\(parts)", allowed: "\(count), the number of outputs")
        }
    }

    /// Extents of the parts; `nil` when the split axis is not known and no extents are given.
    private func parts(of extent: Int?, given: [Int]?, at place: some NodePlace) throws(SardonyxError) -> [Int]? {
        if let given = attribute ?? given {
            guard given.count == count, let sum = CheckedSize.sum(given), given.allSatisfy({ $0 >= 0 }),
                extent == nil || sum == extent
            else {
                throw place.error(
                    .shape, "split", got: "\(given)",
                    allowed: "\(count) extents with the sum \(extent.map(String.init) ?? "of the axis")",
                    hint: nil)
            }
            return given
        }
        guard let extent, count > 0 else { return nil }
        let size = (extent + count - 1) / count
        guard allowsSmallerLast || size * count == extent else {
            throw place.error(
                .shape, "split of axis \(axis)", got: "extent \(extent)", allowed: "a multiple of \(count)", hint: nil)
        }
        return (0..<count).map { max(0, min(size, extent - $0 * size)) }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard let input = try context.shape(0) else { return [Inferred](repeating: Inferred(dtype, nil), count: count) }
        let axis = try context.axis(axis, rank: input.rank)
        let given = context.hasInput(1) ? try context.integers(1) : nil
        let unknown = context.hasInput(1) && attribute == nil && given == nil
        let extents = unknown ? nil : try parts(of: input.dims[axis].value, given: given, at: context)
        var content = try context.content(0).map { $0[...] }
        return (0..<count).map { index in
            var output = input
            output.dims[axis] = extents.map { .known($0[index]) } ?? .unknown
            let part = extents.flatMap { extents in content.map { Array($0.prefix(extents[index])) } }
            content = extents.flatMap { extents in content?.dropFirst(extents[index]) }
            return Inferred.following(dtype, output, part)
        }
    }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation {
        guard let input = inputs.first??.shape, axis >= -input.rank, axis < input.rank else { return .separate }
        return input.dims.prefix(axis < 0 ? axis + input.rank : axis).allSatisfy { $0 == 1 } ? .split : .separate
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        let input = try operands.operand(0).shape
        let axis = try operands.axis(axis, rank: input.rank)
        let extents = try parts(of: input[axis], given: try operands.integers(1), at: operands) ?? []
        var shapes: [Shape] = []
        for extent in extents {
            var dims = input.dims
            dims[axis] = extent
            shapes.append(try operands.shape(of: dims))
        }
        var plan = CopyPlan(shapes)
        var offset = 0
        for (index, shape) in shapes.enumerated() {
            plan.add(
                output: index,
                StridedCopy(
                    dims: shape.dims, sourceStrides: input.strides, sourceOffset: offset,
                    destinationStrides: shape.strides))
            offset += shape[axis] * input.strides[axis]
        }
        return plan
    }
}
