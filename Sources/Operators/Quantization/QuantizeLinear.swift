import CKernels
import GraphIR
import TensorCore

/// ONNX QuantizeLinear (10-28) and that of com.microsoft: y = saturate(round(x / scale) + zero point).
///
/// y has the type of the zero point, `output_dtype`, or uint8. The quotient is rounded to `precision`, by default the
/// scale's type; scales of int32 and float8e8m0 divide in float64 and float32.
struct QuantizeLinear: Operator {
    static let elementTypes: [DType] = [.float32, .float16, .bfloat16, .int32]
    private let outputType: DType?
    private let precision: DType?
    private let saturate: Bool
    private var granularity: Granularity
    private var parameters = QuantizationParameters()

    init(_ node: NodeReader) throws(SardonyxError) {
        granularity = try Granularity(node)
        saturate = try node.bool("saturate", default: true)
        outputType = try Self.type("output_dtype", among: DType.quantized, node)
        precision = try Self.type("precision", among: [.float32, .float16, .bfloat16], node)
    }

    /// An element type as an attribute, of which 0 stands for none.
    static func type(_ name: String, among allowed: [DType], _ node: NodeReader) throws(SardonyxError) -> DType? {
        guard let number = try node.int(name), number != 0 else { return nil }
        guard let dtype = try node.dtype(name), allowed.contains(dtype) else {
            throw node.error(
                .unsupported, "attribute \(name)", got: "\(number)",
                allowed: allowed.map { "\($0.rawValue) (\($0))" }.joined(separator: ", "))
        }
        return dtype
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, [.float32, .float16, .bfloat16, .int32, .float8e8m0], "scale")
        var dtype = outputType ?? .uint8
        if context.hasInput(2) {
            try context.requireDType(2, outputType.map { [$0] } ?? DType.quantized, "zero point")
            dtype = try context.dtype(2)
        }
        try granularity.check(context)
        return [Inferred(dtype, try context.shape(0))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        try granularity.setShapes(try context.input(0).shape, scale: try context.input(1).shape, context)
        parameters = try QuantizationParameters(count: granularity.parameterCount, at: context)
    }

    var scratchByteCount: Int { parameters.byteCount }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, scale, y) = (try context.input(0), try context.input(1), try context.output(0))
        guard y.elementCount > 0 else { return }
        let range = QuantizedRange(y.dtype)
        if let range, x.dtype == .float32, scale.dtype == .float32, precision ?? .float32 == .float32 {
            var map = granularity.map
            sx_quantize(
                &map, x.floats, scale.floats, try parameters.zeros(as: Int32.self, context), Int32(range.low),
                Int32(range.high), y.pointer, Int32(y.dtype.byteSize), Int32(context.threads))
            return
        }
        let precision = precision ?? (scale.dtype == .float8e8m0 ? .float32 : scale.dtype)
        let scales = try parameters.scales(as: Double.self, context)
        let zeros = try parameters.zeros(as: Double.self, context)
        let target = try QuantizedStore(y, saturate: saturate, context)
        let step = granularity.step
        try parameters.forEachChunk(of: x, granularity, context) { chunk, first, parameter in
            for i in chunk.indices {
                let own = parameter + i * step
                let quotient = precision.rounded(chunk[i]) / precision.rounded(scales[own])
                target.store(precision.rounded(quotient), zero: zeros?[own] ?? 0, at: first + i)
            }
        }
    }
}

/// Writes numbers as elements of a quantized type.
struct QuantizedStore {
    private let pointer: UnsafeMutableRawPointer
    private let byteSize: Int
    private let range: QuantizedRange?
    private let format: MiniFloat?
    private let saturate: Bool

    init(_ y: TensorView, saturate: Bool = true, _ place: some NodePlace) throws(SardonyxError) {
        pointer = y.pointer
        byteSize = y.dtype.byteSize
        range = QuantizedRange(y.dtype)
        format = MiniFloat(y.dtype)
        self.saturate = saturate
        guard range != nil || format != nil else {
            throw place.error(
                .unsupported, "output element type", got: "\(y.dtype)", allowed: "a quantized type", hint: nil)
        }
    }

    func store(_ value: Double, zero: Double, at index: Int) {
        if let format {
            pointer.assumingMemoryBound(to: UInt8.self)[index] = format.encode(value + zero, saturate: saturate)
        } else if let range {
            let whole = range.saturate(value, zero: zero)
            if byteSize == 1 {
                pointer.assumingMemoryBound(to: UInt8.self)[index] = UInt8(truncatingIfNeeded: whole)
            } else {
                pointer.assumingMemoryBound(to: UInt16.self)[index] = UInt16(truncatingIfNeeded: whole)
            }
        }
    }
}
