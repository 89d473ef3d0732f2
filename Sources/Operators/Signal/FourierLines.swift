import TensorCore

/// Where the elements of one line of a signal lie: `count` of them, `components` (real, or real and imaginary) each.
struct FourierLine<T> {
    var pointer: UnsafeMutablePointer<T>
    let count: Int
    /// Between elements, in components.
    let stride: Int
    let components: Int
}

/// A transform in the precision that its signals ask for.
enum FourierTransforms: Sendable {
    case float32(FourierTransform<Float>)
    case float64(FourierTransform<Double>)

    /// Of real signals in float64, so that bins that cancel are as small as they should be; of complex ones in their
    /// own type. The standard's reference computes so.
    /// - Throws: `value` for a length below 1, `limit` when the tables pass the budget.
    init(_ length: Int, _ dtype: DType, components: Int, for operands: some OperandSource) throws(SardonyxError) {
        guard length >= 1, length <= 1 << 40 else {
            throw operands.error(.value, "transform length", got: "\(length)", allowed: "1 to 2^40", hint: nil)
        }
        try operands.budget.check(FourierTransform<Double>.tableByteCount(length) ?? .max, for: operands.label)
        let isSingle = dtype != .float64 && components == 2
        self = isSingle ? .float32(FourierTransform(length)) : .float64(FourierTransform(length))
    }
}

/// How a line is read and written.
enum FourierDirection: Sendable {
    case forward
    /// Divided by the length.
    case inverse
    /// The real signal of the first half of its spectrum.
    case inverseReal
}

extension FourierTransform {
    /// Elements of memory that transforming a line needs.
    var lineCount: Int { 2 * length + workCount }

    /// Transforms one line, zero-padded or cut to the length, and writes as many bins as the target has.
    /// - Parameters:
    ///   - window: factors of the line's elements.
    ///   - data: `lineCount` elements of working memory.
    func run<E: Number & BinaryFloatingPoint>(
        _ line: FourierLine<E>, window: UnsafePointer<E>? = nil, _ direction: FourierDirection,
        into target: FourierLine<E>, _ data: UnsafeMutablePointer<T>
    ) {
        let inverts = direction != .forward
        let given = direction == .inverseReal ? min(line.count, length / 2 + 1) : min(line.count, length)
        for k in 0..<given {
            let source = line.pointer + k * line.stride
            let factor = window.map { T($0[k]) } ?? 1
            let imaginary = line.components == 2 ? T(source[1]) * factor : 0
            data[2 * k] = T(source[0]) * factor
            data[2 * k + 1] = inverts ? -imaginary : imaginary
        }
        if given < length { (data + 2 * given).update(repeating: 0, count: 2 * (length - given)) }
        if direction == .inverseReal { mirror(data) }
        run(data, data + 2 * length)
        let scale = inverts ? 1 / T(length) : 1
        for k in 0..<target.count {
            let bin = target.pointer + k * target.stride
            bin[0] = E(data[2 * k] * scale)
            if target.components == 2 { bin[1] = E(data[2 * k + 1] * (inverts ? -scale : scale)) }
        }
    }

    /// Completes the first half of the spectrum of a real signal.
    private func mirror(_ data: UnsafeMutablePointer<T>) {
        data[1] = 0
        for k in 1..<max(1, (length + 1) / 2) {
            data[2 * (length - k)] = data[2 * k]
            data[2 * (length - k) + 1] = -data[2 * k + 1]
        }
        if length % 2 == 0 { data[length + 1] = 0 }
    }
}
