import Glibc
import GraphIR
import TensorCore

/// ONNX HannWindow, HammingWindow and BlackmanWindow (17): a window function of the length given by an input.
struct Window: Operator {
    static let elementTypes: [DType] = DType.indices
    /// y(t) = Σ c[k] cos(2πk t), t from 0 to 1 over the window.
    private let cosines: [Double]
    private let isPeriodic: Bool
    private let dtype: DType

    init(_ node: NodeReader) throws(SardonyxError) {
        switch node.node.opType {
        case "HannWindow": cosines = [0.5, -0.5]
        case "HammingWindow": cosines = [25.0 / 46, -21.0 / 46]
        default: cosines = [0.42, -0.5, 0.08]
        }
        isPeriodic = try node.bool("periodic", default: true)
        dtype = try node.dtype("output_datatype") ?? .float32
        guard DType.numeric.contains(dtype) else {
            throw node.error(.unsupported, "output_datatype", got: "\(dtype)", allowed: "a number type")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let size = try context.integers(0)?.first
        return [Inferred(dtype, [size.map { .known($0) } ?? .unknown])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard let size = try context.integer(0), size >= 0 else {
            throw context.error(.value, "size", got: "\(try context.integers(0) ?? [])", allowed: "0 or more")
        }
        let y = try context.output(0, dtype: dtype, shape: try context.shape(of: [size]))
        let period = Double(max(isPeriodic ? size : size - 1, 1))
        try context.fillInParallel(y) { elements, type in
            y.set(elements, type) { index in
                var sum = 0.0
                for (k, factor) in cosines.enumerated() {
                    sum += factor * cos(2 * .pi * Double(k) * Double(index) / period)
                }
                return sum
            }
        }
    }
}
