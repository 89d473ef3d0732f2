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

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: .bool, shape: input.shape)
        let format = MiniFloat(input.dtype)
        guard format != nil || [.float32, .float64, .float16, .bfloat16, .float8e8m0].contains(input.dtype) else {
            throw context.error(.unsupported, "element type", got: "\(input.dtype)", allowed: "floating point")
        }
        try context.inParallel(input.elementCount, cost: 1) { range in
            switch input.dtype {
            case .float32: scan(range, input, output) { (value: Float) in value }
            case .float64: scan(range, input, output) { (value: Double) in value }
            case .float16: scan(range, input, output) { (value: Float16) in value }
            case .bfloat16: scan(range, input, output) { (value: BFloat16) in value.float }
            case .float8e8m0: scan(range, input, output) { (value: UInt8) in ScaleFloat.decode(value) }
            default: scan(range, input, output) { (value: UInt8) in format?.decode(value) ?? 0 }
            }
        }
    }

    /// A loop for each question, so that none looks at the attributes.
    @inline(__always)
    private func scan<T, F: BinaryFloatingPoint>(
        _ range: Range<Int>, _ input: TensorView, _ output: TensorView, _ value: (T) -> F
    ) {
        let (source, target) = (input.typed(T.self), output.typed(Bool.self))
        let (least, greatest) = (seeksNegative ? -F.infinity : .nan, seeksPositive ? F.infinity : .nan)
        if seeksNaN {
            for index in range { target[index] = value(source[index]).isNaN }
        } else {
            for index in range {
                let number = value(source[index])
                target[index] = number == least || number == greatest
            }
        }
    }
}
