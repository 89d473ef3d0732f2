import TensorCore

/// A Fourier transform in the element type of its signal.
enum FourierTransforms: Sendable {
    case float32(FourierTransform<Float>)
    case float64(FourierTransform<Double>)

    /// - Throws: `value` for a length below 1, `limit` when the tables pass the budget.
    init(_ length: Int, _ dtype: DType, _ budget: MemoryBudget, at place: some NodePlace, label: String)
        throws(SardonyxError)
    {
        guard length >= 1, length <= 1 << 40 else {
            throw place.error(.value, "transform length", got: "\(length)", allowed: "1 to 2^40", hint: nil)
        }
        try budget.check(FourierTransform<Double>.tableByteCount(length) ?? .max, for: label)
        self =
            dtype == .float64 ? .float64(FourierTransform(length)) : .float32(FourierTransform(length))
    }

    var length: Int {
        switch self {
        case .float32(let transform): transform.length
        case .float64(let transform): transform.length
        }
    }
}

/// Where the elements of one line of a signal lie: `count` of them, `components` (real, or real and imaginary) each.
struct FourierLine<T> {
    var pointer: UnsafeMutablePointer<T>
    let count: Int
    /// Between elements, in components.
    let stride: Int
    let components: Int
}

extension FourierTransform {
    /// How a line is read and written.
    enum Direction: Sendable {
        case forward
        /// Divided by the length.
        case inverse
        /// The real signal of the first half of its spectrum.
        case inverseReal
    }

    /// Transforms one line, zero-padded or cut to the length, and writes as many bins as the target has.
    /// - Parameters:
    ///   - window: factors of the line's elements.
    ///   - data: 2 · length elements of working memory, and `workCount` behind them.
    func run(
        _ line: FourierLine<T>, window: UnsafePointer<T>? = nil, _ direction: Direction, into target: FourierLine<T>,
        _ data: UnsafeMutablePointer<T>
    ) {
        let inverts = direction != .forward
        let given = direction == .inverseReal ? min(line.count, length / 2 + 1) : min(line.count, length)
        for k in 0..<given {
            let source = line.pointer + k * line.stride
            let factor = window?[k] ?? 1
            data[2 * k] = source[0] * factor
            data[2 * k + 1] = line.components == 2 ? (inverts ? -source[1] : source[1]) * factor : 0
        }
        if given < length { (data + 2 * given).update(repeating: 0, count: 2 * (length - given)) }
        if direction == .inverseReal {
            data[1] = 0
            for k in 1..<max(1, (length + 1) / 2) {
                data[2 * (length - k)] = data[2 * k]
                data[2 * (length - k) + 1] = -data[2 * k + 1]
            }
            if length % 2 == 0 { data[length + 1] = 0 }
        }
        run(data, data + 2 * length)
        let scale = inverts ? 1 / T(length) : 1
        for k in 0..<target.count {
            let bin = target.pointer + k * target.stride
            bin[0] = data[2 * k] * scale
            if target.components == 2 { bin[1] = data[2 * k + 1] * (inverts ? -scale : scale) }
        }
    }
}
