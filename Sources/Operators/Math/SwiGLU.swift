import CKernels
import GraphIR
import TensorCore

/// ONNX SwiGLU (28): a sigmoid(alpha a) b of two tensors of one shape.
struct SwiGLU: Operator {
    static let elementTypes: [DType] = DType.floating
    private let function: UnaryFunction

    init(_ node: NodeReader) throws(SardonyxError) { function = try UnaryFunction.swish(node) }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, [try context.dtype(0)], "B")
        let shape = try context.shape(0)
        if let shape { try context.requireShape(1, shape.dims, "B") }
        return [Inferred(try context.dtype(0), shape)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (a, b, y) = (try context.input(0), try context.input(1), try context.output(0))
        if y.dtype == .float64 {
            let (a, b, y) = (a.elements(Double.self), b.elements(Double.self), y.elements(Double.self))
            for i in y.indices { y[i] = function.float64(a[i]) * b[i] }
        } else if let kernel = function.kernel {
            sx_unary(kernel, a.floats, y.floats, Int64(y.elementCount), Int32(context.threads))
            let (factors, products) = (b.floats, y.floats)
            for i in 0..<y.elementCount { products[i] *= factors[i] }
        }
    }
}
