import CKernels
import GraphIR
import TensorCore

/// ONNX Sum, Mean (1, 6, 8, 13), Min and Max (1, 6, 8, 12, 13): a fold over one or more inputs with
/// multidirectional broadcasting (equal shapes before opset 8).
struct Variadic: Operator {
    let function: BinaryFunction
    let divides: Bool
    private var loops: [BinaryLoop] = []
    private var single: StridedCopy?

    init(_ function: BinaryFunction, mean: Bool = false) {
        self.function = function
        self.divides = mean
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        throw node.error(.internal, "a variadic operator needs its function")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        var shapes: [SymbolicShape?] = []
        for index in context.inputs.indices {
            try context.requireDType(index, [dtype], "input \(index)")
            shapes.append(try context.shape(index))
        }
        return [Inferred(dtype, try Broadcast.shape(shapes, at: context))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let y = try context.output(0).shape
        let first = try context.input(0).shape
        guard context.inputs.count > 1 else {
            single = StridedCopy(dims: y.dims, sourceStrides: first.strides, destinationStrides: y.strides)
            return
        }
        loops = []
        for index in 1..<context.inputs.count {
            let a = index == 1 ? first : y
            loops.append(try BinaryLoop(function, a: a, b: try context.input(index).shape, y: y, at: context))
        }
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let y = try context.output(0)
        single?.run(from: try context.input(0).pointer, to: y.pointer, y.dtype, threads: context.threads)
        for (index, loop) in loops.enumerated() {
            try loop.run(index == 0 ? try context.input(0) : y, try context.input(index + 1), y, context)
        }
        guard divides, context.inputs.count > 1 else { return }
        if y.dtype == .float32 {
            let scale = sx_activation(op: SX_UNARY_SCALE_SHIFT, a: 1 / Float(context.inputs.count), b: 0)
            sx_unary(scale, y.floats, y.floats, Int64(y.elementCount), Int32(context.threads))
        } else {
            let (values, divisor) = (y.elements(Double.self), Double(context.inputs.count))
            for i in values.indices { values[i] /= divisor }
        }
    }
}

extension OperatorEntry {
    static func variadic(_ name: String, _ function: BinaryFunction, mean: Bool = false) -> OperatorEntry {
        let types = function == .add ? DType.floating : DType.numeric
        return row(name, 1...OperatorTable.newestOpset, Variadic.self, types: types) { (_) throws(SardonyxError) in
            HalfPrecision(Variadic(function, mean: mean))
        }
    }
}
