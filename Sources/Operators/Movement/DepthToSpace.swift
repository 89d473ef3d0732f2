import GraphIR
import TensorCore

/// ONNX DepthToSpace (1-28) and SpaceToDepth (1-28): blocks of pixels to channels and back, `[N, C, H, W]`.
struct DepthToSpace: CopyingOperator {
    enum Mode: String, CaseIterable {
        /// Channels are (block row, block column, depth).
        case depthColumnRow = "DCR"
        /// Channels are (depth, block row, block column).
        case columnRowDepth = "CRD"
    }
    private let block: Int
    private let mode: Mode
    private let isInverse: Bool
    var plan: CopyPlan?

    init(_ node: NodeReader) throws(SardonyxError) {
        block = try node.required("blocksize", try node.int("blocksize"))
        mode = try node.choice("mode", default: .depthColumnRow)
        isInverse = node.node.opType == "SpaceToDepth"
        guard block > 0, block < 1 << 20 else {
            throw node.error(.shape, "attribute blocksize", got: "\(block)", allowed: "1 to 2^20")
        }
    }

    private func quotient(_ dim: Dim, _ divisor: Int, _ axis: Int, at place: some NodePlace) throws(SardonyxError)
        -> Dim
    {
        guard let extent = dim.value else { return divisor == 1 ? dim : .unknown }
        guard extent.isMultiple(of: divisor) else {
            throw place.error(.shape, "axis \(axis)", got: "\(extent)", allowed: "a multiple of \(divisor)", hint: nil)
        }
        return .known(extent / divisor)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 4...4, "input")
        let dtype = try context.dtype(0)
        guard let input = try context.shape(0)?.dims else {
            return [Inferred(dtype, [.unknown, .unknown, .unknown, .unknown])]
        }
        let area = block * block
        let channels =
            isInverse ? try context.product([input[1], .known(area)]) : try quotient(input[1], area, 1, at: context)
        var output = [input[0], channels]
        for axis in 2...3 {
            output.append(
                isInverse
                    ? try quotient(input[axis], block, axis, at: context)
                    : try context.product([input[axis], .known(block)]))
        }
        return [Inferred(dtype, SymbolicShape(output))]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        let input = try operands.operand(0).shape
        let (b, area) = (block, block * block)
        let output = try operands.shape(
            of: isInverse
                ? [input[0], input[1] * area, input[2] / b, input[3] / b]
                : [input[0], input[1] / area, input[2] * b, input[3] * b])
        let (deep, wide) = isInverse ? (output, input) : (input, output)
        // Axes: image, depth, row, block row, column, block column.
        let (d, w, depth) = (deep.strides, wide.strides, wide[1])
        let deepStrides =
            mode == .depthColumnRow
            ? [d[0], d[1], d[2], d[1] * depth * b, d[3], d[1] * depth]
            : [d[0], d[1] * area, d[2], d[1] * b, d[3], d[1]]
        let wideStrides = [w[0], w[1], w[2] * b, w[2], w[3] * b, w[3]]
        var plan = CopyPlan([output])
        plan.add(
            StridedCopy(
                dims: [deep[0], depth, deep[2], b, deep[3], b], sourceStrides: isInverse ? wideStrides : deepStrides,
                destinationStrides: isInverse ? deepStrides : wideStrides))
        return plan
    }
}
