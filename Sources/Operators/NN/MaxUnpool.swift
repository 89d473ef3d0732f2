import GraphIR
import TensorCore

/// ONNX MaxUnpool (9, 11, 22): x `[N, C, d…]` placed at the flat indices (int64) that MaxPool gave, zeros elsewhere;
/// the output's extents undo the pooling, or are input 2, whose first corner is then filled.
struct MaxUnpool: PlannedOperator {
    static let elementTypes: [DType] = DType.floating
    struct Plan: Sendable {
        /// What the indices count in.
        let pooled: Shape
        let output: Shape
    }

    private let window: WindowAttributes
    var plan: Plan?

    init(_ node: NodeReader) throws(SardonyxError) {
        window = try WindowAttributes(node)
        _ = try node.required("kernel_shape", window.kernel)
    }

    var parameterInputs: [Int] { [2] }

    /// Extents before pooling; unknown ones stay so.
    private func unpooled(_ x: [Dim], at place: some NodePlace, _ label: String) throws(SardonyxError) -> [Dim] {
        let spatial = x.count - 2
        try window.requireSpatialRank(spatial, label)
        var dims = Array(x[..<2])
        for axis in 0..<spatial {
            guard let extent = x[axis + 2].value else {
                dims.append(.unknown)
                continue
            }
            let pads = (window.pads?[axis] ?? 0) + (window.pads?[axis + spatial] ?? 0)
            guard let span = CheckedSize.product(max(extent - 1, 0), window.strides?[axis] ?? 1),
                span <= CheckedSize.maximumElements
            else { throw place.error(.limit, "extents overflow", got: "\(extent)", allowed: nil, hint: nil) }
            let result = span + (window.kernel?[axis] ?? 1) - pads
            guard result >= 0 else {
                throw place.error(
                    .shape, "pads on spatial axis \(axis)", got: "\(pads)", allowed: "at most the output", hint: nil)
            }
            dims.append(.known(extent == 0 ? 0 : result))
        }
        return dims
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, [.int64], "indices")
        try context.requireRank(0, 3...64, "input")
        let dtype = try context.dtype(0)
        guard let x = try context.shape(0) else { return [Inferred(dtype, nil)] }
        try context.requireShape(1, x.dims, "indices")
        let pooled = try unpooled(x.dims, at: context, context.node.label)
        guard context.hasInput(2) else { return [Inferred(dtype, SymbolicShape(pooled))] }
        return [
            Inferred(dtype, SymbolicShape(try context.content(2) ?? [Dim](repeating: .unknown, count: x.rank)))
        ]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Plan {
        let x = try operands.operand(0).shape
        let dims = try unpooled(x.dims.map { .known($0) }, at: operands, operands.label).compactMap(\.value)
        let pooled = try operands.shape(of: dims)
        let output = try operands.integers(2).map { (dims) throws(SardonyxError) in try operands.shape(of: dims) }
        if let output, output.rank != pooled.rank || zip(pooled.dims, output.dims).contains(where: { $0 > $1 }) {
            throw operands.error(
                .shape, "output_shape", got: "\(output)", allowed: "at least \(pooled) on every axis", hint: nil)
        }
        return Plan(pooled: pooled, output: output ?? pooled)
    }

    func run(_ plan: Plan, _ context: RunContext) throws(SardonyxError) {
        let (x, indices) = (try context.input(0), try context.input(1))
        let y = try context.output(0, dtype: x.dtype, shape: plan.output)
        if x.dtype == .float64 {
            try place(x.typed(Double.self), indices.elements(Int64.self), y.elements(Double.self), plan, context)
        } else {
            try place(x.floats, indices.elements(Int64.self), y.elements(Float.self), plan, context)
        }
    }

    private func place<T: Number>(
        _ x: UnsafeMutablePointer<T>, _ indices: UnsafeMutableBufferPointer<Int64>, _ y: UnsafeMutableBufferPointer<T>,
        _ plan: Plan, _ context: RunContext
    ) throws(SardonyxError) {
        let limit = Int64(plan.pooled.elementCount)
        for (element, index) in indices.enumerated() where index < 0 || index >= limit {
            throw context.error(.value, "indices: element \(element)", got: "\(index)", allowed: "0 to \(limit - 1)")
        }
        y.update(repeating: T.zero)
        let isSame = plan.pooled == plan.output
        for (element, index) in indices.enumerated() {
            var place = Int(index)
            if !isSame {
                var rest = place
                place = 0
                for axis in plan.pooled.indices.reversed() {
                    place += rest % plan.pooled[axis] * plan.output.strides[axis]
                    rest /= plan.pooled[axis]
                }
            }
            y[place] = x[element]
        }
    }
}
