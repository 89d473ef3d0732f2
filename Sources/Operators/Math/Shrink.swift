import GraphIR
import TensorCore

/// ONNX Shrink (9): x + bias below -lambd, x - bias above lambd, else 0.
struct Shrink: Operator {
    static let elementTypes: [DType] = DType.numeric
    private let bias: Double
    private let threshold: Double

    init(_ node: NodeReader) throws(SardonyxError) {
        bias = Double(try node.float("bias", default: 0))
        threshold = Double(try node.float("lambd", default: 0.5))
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(try context.input(0).type)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        let body = Body(operation: self, x: x, y: y)
        try context.placing { () throws(SardonyxError) in try withNumber(x.dtype, body) }
    }

    private struct Body: NumberBody {
        let operation: Shrink
        let x, y: TensorView

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (x, y) = (x.elements(T.self), y.elements(T.self))
            let (bias, threshold) = (operation.bias, operation.threshold)
            for i in x.indices {
                let value = x[i].asDouble
                y[i] =
                    value < -threshold
                    ? T(saturating: value + bias) : value > threshold ? T(saturating: value - bias) : T.zero
            }
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }
}
