import CKernels
import GraphIR
import TensorCore

/// com.microsoft BiasGelu and FastGelu: y = f(x + bias), bias `[C]` over the last axis of x, optional for FastGelu.
struct BiasedActivation: Operator {
    static let elementTypes: [DType] = DType.floating
    private let function: UnaryFunction

    init(_ node: NodeReader) throws(SardonyxError) {
        function = node.node.opType == "FastGelu" ? .geluByTanh : .geluByErf
        guard node.node.opType == "FastGelu" || node.hasInput(1) else {
            throw node.error(.graph, "input 1 is missing")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        if context.hasInput(1) {
            try context.requireDType(1, [try context.dtype(0)], "bias")
            try context.requireRank(1, 1...1, "bias")
            if let x = try context.shape(0), let bias = try context.shape(1) {
                guard let last = x.dims.last else {
                    throw context.error(.shape, "input rank", got: "\(x)", allowed: "1 or more")
                }
                try context.requireEqual(bias.dims[0], last, "bias and last axis of the input")
            }
        }
        return [Inferred(try context.input(0).type)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context) { y, count in
                for i in 0..<count { y[i] = function.float64(y[i]) }
            }
        } else {
            try run(Float.self, context) { y, count in
                if let kernel = function.kernel {
                    sx_unary(kernel, y, y, Int64(count), Int32(context.threads))
                }
            }
        }
    }

    private func run<T: AttentionElement>(
        _ type: T.Type, _ context: RunContext, apply: (UnsafeMutablePointer<T>, Int) -> Void
    ) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0).typed(T.self))
        try x.copyElements(to: try context.output(0), threads: context.threads)
        if context.hasInput(1), let columns = x.shape.last, columns > 0 {
            let bias = try context.input(1).typed(T.self)
            for first in stride(from: 0, to: x.elementCount, by: columns) {
                for i in 0..<columns { y[first + i] += bias[i] }
            }
        }
        apply(y, x.elementCount)
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }
}
