import CKernels
import GraphIR
import TensorCore

/// Every elementwise ONNX operator of one input: y = f(x) in x's shape, type and layout.
struct Unary: Operator {
    let function: UnaryFunction
    private var storedCount = 0

    init(_ function: UnaryFunction) { self.function = function }

    init(_ node: NodeReader) throws(SardonyxError) {
        throw node.error(.internal, "a unary operator needs its function")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0)
        storedCount = try x.layout.storedElementCount(x.shape)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        if x.dtype == .float32, let kernel = function.kernel {
            sx_unary(kernel, x.floats, y.floats, Int64(storedCount), Int32(context.threads))
        } else if let integer = function.integer, x.dtype.isInteger {
            try context.placing { () throws(SardonyxError) in
                try withNumber(x.dtype, IntegerLoop(function: integer, x: x, y: y))
            }
        } else if x.dtype == .float64 {
            let (from, to) = (x.elements(Double.self), y.elements(Double.self))
            for i in from.indices { to[i] = function.float64(from[i]) }
        } else {
            let (from, to) = (x.floats, y.floats)
            for i in 0..<storedCount { to[i] = Float(function.float64(Double(from[i]))) }
        }
    }

    private struct IntegerLoop: NumberBody {
        let function: UnaryFunction.Integer
        let x, y: TensorView

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (x, y) = (x.elements(T.self), y.elements(T.self))
            for i in x.indices {
                let value = x[i]
                y[i] =
                    switch function {
                    case .absolute: value.absolute
                    case .negated: T.wrappingDifference(T.zero, value)
                    case .relu: T.maximum(value, T.zero)
                    case .sign: value > T.zero ? T.one : value < T.zero ? T.wrappingDifference(T.zero, T.one) : T.zero
                    }
            }
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }

    /// Blocked where x is and the padding lanes stay zero.
    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4 else { return nil }
        let fits = function.keepsZero || x.shape[1] % Layout.blockSize == 0
        let layout = fits ? x.layout : .plain
        return LayoutChoice(inputs: [layout], outputs: [layout])
    }
}

extension OperatorEntry {
    /// A function without attributes, from this opset on.
    static func unary(
        _ name: String, from version: Int, _ function: UnaryFunction, domain: String = Domains.onnx
    ) -> OperatorEntry {
        unary(name, from: version, domain: domain, types: function.dtypes) { (_) throws(SardonyxError) in function }
    }

    /// A function with attributes, from this opset on.
    static func unary(
        _ name: String, from version: Int, domain: String = Domains.onnx, types: [DType] = DType.floating,
        _ function: @escaping @Sendable (NodeReader) throws(SardonyxError) -> UnaryFunction
    ) -> OperatorEntry {
        row(name, version...OperatorTable.newestOpset, Unary.self, domain: domain, types: types) {
            (node) throws(SardonyxError) in HalfPrecision(Unary(try function(node)))
        }
    }
}
