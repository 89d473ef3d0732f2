import CKernels
import GraphIR
import TensorCore

/// ONNX DequantizeLinear (10-28) and that of com.microsoft: y = (x - zero point) scale, rounded once to `output_dtype`,
/// by default the scale's type (float32 for float8e8m0).
struct DequantizeLinear: Operator {
    static let elementTypes: [DType] = DType.quantized + [.int32]
    private let outputType: DType?
    private var granularity: Granularity
    private var parameters = QuantizationParameters()
    private static let outputTypes: [DType] = [.float32, .float16, .bfloat16]

    init(_ node: NodeReader) throws(SardonyxError) {
        granularity = try Granularity(node)
        outputType = try QuantizeLinear.type("output_dtype", among: Self.outputTypes, node)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, Self.outputTypes + [.float8e8m0], "scale")
        if context.hasInput(2) { try context.requireDType(2, [try context.dtype(0)], "zero point") }
        try granularity.check(context)
        let scale = try context.dtype(1)
        return [Inferred(outputType ?? (scale == .float8e8m0 ? .float32 : scale), try context.shape(0))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        try granularity.setShapes(try context.input(0).shape, scale: try context.input(1).shape, context)
        parameters = try QuantizationParameters(count: granularity.parameterCount, at: context)
    }

    var scratchByteCount: Int { parameters.byteCount }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, scale, y) = (try context.input(0), try context.input(1), try context.output(0))
        guard y.elementCount > 0 else { return }
        // Narrower integers lie in bytes, sign-extended.
        if let range = QuantizedRange(x.dtype), x.dtype.byteSize == 1, scale.dtype == .float32, y.dtype == .float32 {
            var map = granularity.map
            sx_dequantize(
                &map, x.pointer, range.low < 0, scale.floats, try parameters.zeros(as: Int32.self, context), y.floats,
                Int32(context.threads))
            return
        }
        let scales = try parameters.scales(as: Double.self, context)
        let zeros = try parameters.zeros(as: Double.self, context)
        let cast = try ElementCast(from: .float64, to: y.dtype, at: context)
        let step = granularity.step
        try parameters.forEachChunk(of: x, granularity, context) { (chunk, first, parameter) throws(SardonyxError) in
            for i in chunk.indices {
                let own = parameter + i * step
                chunk[i] = (chunk[i] - (zeros?[own] ?? 0)) * scales[own]
            }
            guard let numbers = chunk.baseAddress else { return }
            try cast.run(
                from: numbers, to: y.pointer + first * y.dtype.byteSize, count: chunk.count, threads: 1)
        }
    }
}
