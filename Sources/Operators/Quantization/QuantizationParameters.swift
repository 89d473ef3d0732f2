import CKernels
import TensorCore

/// Scales (input 1) and zero points (input 2) in the types that the arithmetic uses, in a node's scratch memory, and
/// there a chunk of elements as float64.
struct QuantizationParameters: Sendable {
    private var scales = 0
    private var zeros = 0
    private var numbers = 0
    private var count = 0
    private(set) var byteCount = 0

    private static let chunk = 256

    init() {}

    /// Reserves memory for `count` scales and zero points of at most 8 bytes each.
    init(count: Int, at place: some NodePlace) throws(SardonyxError) {
        var regions = ScratchRegions()
        scales = try regions.add(CheckedSize.product(count, 8), at: place)
        zeros = try regions.add(CheckedSize.product(count, 8), at: place)
        numbers = try regions.add(Self.chunk * 8, at: place)
        self.count = count
        byteCount = regions.byteCount
    }

    private func converted<T: TensorElement>(
        _ input: Int, at offset: Int, to type: T.Type, _ context: RunContext
    ) throws(SardonyxError) -> UnsafeMutablePointer<T>? {
        guard context.hasInput(input), let scratch = context.scratch else { return nil }
        let view = try context.input(input)
        guard view.dtype != T.dtype else { return view.typed(T.self) }
        let target = scratch + offset
        let cast = try ElementCast(from: view.dtype, to: T.dtype, at: context)
        try context.placing { () throws(SardonyxError) in
            try cast.run(from: view.pointer, to: target, count: count, threads: context.threads)
        }
        return target.assumingMemoryBound(to: T.self)
    }

    /// The scales.
    func scales<T: TensorElement>(as type: T.Type, _ context: RunContext) throws(SardonyxError)
        -> UnsafeMutablePointer<T>
    {
        guard let values = try converted(1, at: scales, to: type, context) else {
            throw context.error(.internal, "the scales have no memory")
        }
        return values
    }

    /// The zero points; `nil` when there are none.
    func zeros<T: TensorElement>(as type: T.Type, _ context: RunContext) throws(SardonyxError)
        -> UnsafeMutablePointer<T>?
    {
        try converted(2, at: zeros, to: type, context)
    }

    /// Calls `body` with chunks of `x` as float64, their first element, and the index of its parameters.
    func forEachChunk(
        of x: TensorView, _ granularity: Granularity, _ context: RunContext,
        _ body: (_ chunk: UnsafeMutableBufferPointer<Double>, _ first: Int, _ parameter: Int) throws(SardonyxError) ->
            Void
    ) throws(SardonyxError) {
        guard let scratch = context.scratch else { return }
        let cast = try ElementCast(from: x.dtype, to: .float64, at: context)
        let memory = (scratch + numbers).assumingMemoryBound(to: Double.self)
        var unchecked = 0
        try granularity.forEachGroup { (first, count, parameter) throws(SardonyxError) in
            unchecked += count
            if unchecked > 1 << 16 {
                unchecked = 0
                try context.interruption?.check()
            }
            for start in stride(from: 0, to: count, by: Self.chunk) {
                let size = min(Self.chunk, count - start)
                let elements = x.pointer + (first + start) * x.dtype.byteSize
                try cast.run(from: elements, to: memory, count: size, threads: 1)
                let chunk = UnsafeMutableBufferPointer(start: memory, count: size)
                try body(chunk, first + start, parameter + start * granularity.step)
            }
        }
    }
}

/// The range of an integer type that tensors are quantized to.
struct QuantizedRange: Sendable {
    let low: Int
    let high: Int

    /// `nil` for types that are none.
    init?(_ dtype: DType) {
        switch dtype {
        case .int8: (low, high) = (-128, 127)
        case .uint8: (low, high) = (0, 255)
        case .int16: (low, high) = (-32768, 32767)
        case .uint16: (low, high) = (0, 65535)
        case .int4: (low, high) = (-8, 7)
        case .uint4: (low, high) = (0, 15)
        case .int2: (low, high) = (-2, 1)
        case .uint2: (low, high) = (0, 3)
        default: return nil
        }
    }

    /// Rounded to nearest even and moved into the range; NaN gives its lower end.
    func saturate(_ value: Double, zero: Double) -> Int {
        let whole = value.rounded(.toNearestOrEven) + zero
        return whole >= Double(high) ? high : whole > Double(low) ? Int(whole) : low
    }
}

extension DType {
    static let quantizedIntegers: [DType] = [.int8, .uint8, .int16, .uint16, .int4, .uint4, .int2, .uint2]
    static let quantizedFloats: [DType] = [
        .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1, .float6e2m3, .float6e3m2,
    ]
    static let quantized = quantizedIntegers + quantizedFloats
    static let float8: [DType] = [.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz]
    static let bytes: [DType] = [.int8, .uint8]

    /// A number as this floating-point type holds it.
    func rounded(_ value: Double) -> Double {
        switch self {
        case .float32: Double(Float(value))
        case .float16: Double(Float16(value))
        case .bfloat16: Double(BFloat16(Float(value)).float)
        default: value
        }
    }
}
