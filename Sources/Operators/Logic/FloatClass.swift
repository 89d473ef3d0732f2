import GraphIR
import TensorCore

/// ONNX IsNaN (9-20) and IsInf (10-20): which elements are not numbers, or infinite with a sign that is asked for.
struct FloatClass: Operator {
    static let elementTypes: [DType] = DType.allCases.filter(\.isFloatingPoint)
    private let seeksNaN: Bool
    private let seeksPositive: Bool
    private let seeksNegative: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        seeksNaN = node.node.opType == "IsNaN"
        seeksPositive = try node.bool("detect_positive", default: true)
        seeksNegative = try node.bool("detect_negative", default: true)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(.bool, try context.shape(0))]
    }

    private func test<F: BinaryFloatingPoint>(_ value: F) -> Bool {
        seeksNaN ? value.isNaN : value.isInfinite && (value > 0 ? seeksPositive : seeksNegative)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: .bool, shape: input.shape).elements(Bool.self)
        func scan<T>(_ type: T.Type, _ test: (T) -> Bool) {
            for (index, value) in input.elements(T.self).enumerated() { output[index] = test(value) }
        }
        switch input.dtype {
        case .float32: scan(Float.self, test)
        case .float64: scan(Double.self, test)
        case .float16: scan(Float16.self, test)
        case .bfloat16: scan(BFloat16.self) { test($0.float) }
        case .float8e8m0: scan(UInt8.self) { test(ScaleFloat.decode($0)) }
        default:
            guard let format = MiniFloat(input.dtype) else {
                throw context.error(.unsupported, "element type", got: "\(input.dtype)", allowed: "floating point")
            }
            scan(UInt8.self) { test(format.decode($0)) }
        }
    }
}
