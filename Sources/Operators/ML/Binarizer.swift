import GraphIR
import TensorCore

/// ONNX Binarizer (ai.onnx.ml 1): 1 where x is above the threshold, else 0.
struct Binarizer: Operator {
    static let elementTypes: [DType] = DType.tabular
    private let threshold: Float

    init(_ node: NodeReader) throws(SardonyxError) { threshold = try node.float("threshold", default: 0) }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(try context.input(0).type)]
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { input == 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let y = try context.output(0, dtype: x.dtype, shape: x.shape)
        try withNumber(x.dtype, Body(x: x, y: y, threshold: Double(threshold), context: context))
    }

    private struct Body: NumberBody {
        let x, y: TensorView
        let threshold: Double
        let context: RunContext

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (x, y, threshold) = (x, y, threshold)
            try context.inParallel(x.elementCount, cost: 1) { range in
                let (source, target) = (x.typed(T.self), y.typed(T.self))
                for index in range { target[index] = source[index].asDouble > threshold ? T.one : T.zero }
            }
        }
    }
}
