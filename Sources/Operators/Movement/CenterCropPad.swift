import GraphIR
import TensorCore

/// ONNX CenterCropPad (18): the middle of the input on axes where the shape asked for is smaller, zeros around it where
/// it is larger.
struct CenterCropPad: CopyingOperator {
    private let axes: [Int]?
    var plan: CopyPlan?

    init(_ node: NodeReader) throws(SardonyxError) { axes = try node.ints("axes") }

    var parameterInputs: [Int] { [1] }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, DType.indices, "shape")
        guard let x = try context.shape(0) else { return [Inferred(dtype, nil)] }
        let axes = try context.axes(axes ?? Array(0..<x.rank), rank: x.rank)
        var dims = x.dims
        let target = try context.content(1)
        if let target { try requireCount(target.count, axes.count, at: context) }
        for (index, axis) in axes.enumerated() { dims[axis] = target?[index] ?? .unknown }
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    private func requireCount(_ count: Int, _ axes: Int, at place: some NodePlace) throws(SardonyxError) {
        guard count == axes else {
            throw place.error(.shape, "shape", got: "\(count) extents", allowed: "\(axes), one an axis", hint: nil)
        }
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        let x = try operands.operand(0).shape
        let axes = try operands.axes(axes ?? Array(0..<x.rank), rank: x.rank)
        let target = try operands.integers(1) ?? []
        try requireCount(target.count, axes.count, at: operands)
        var dims = x.dims
        for (axis, extent) in zip(axes, target) { dims[axis] = extent }
        let output = try operands.shape(of: dims)
        var box = x.dims
        var (from, to) = (0, 0)
        for axis in 0..<x.rank {
            box[axis] = min(x[axis], output[axis])
            from += (x[axis] - box[axis]) / 2 * x.strides[axis]
            to += (output[axis] - box[axis]) / 2 * output.strides[axis]
        }
        var plan = CopyPlan([output])
        plan.add(
            StridedCopy(
                dims: box, sourceStrides: x.strides, sourceOffset: from, destinationStrides: output.strides,
                destinationOffset: to))
        return plan
    }

    func run(_ plan: CopyPlan, _ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let y = try context.output(0, dtype: x.dtype, shape: plan.outputs[0])
        if x.dtype == .string {
            y.elements(String.self).update(repeating: "")
        } else {
            // The zero of every type is zero bytes.
            y.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: y.elementCount * x.dtype.byteSize)
        }
        for step in plan.steps { step.copy.run(from: x.pointer, to: y.pointer, x.dtype, threads: context.threads) }
    }
}
