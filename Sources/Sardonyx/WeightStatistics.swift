import GraphIR
import TensorCore

extension WeightReport {
    /// Reads a constant once or twice; nothing of it stays in memory.
    /// - Throws: what reading its contents throws.
    init(_ constant: Constant) throws(SardonyxError) {
        let tensor = try constant.tensor()
        let reader = ElementReader(tensor)
        var summary = Summary(tensor)
        reader?.forEach { summary.add($0) }
        let isListed = tensor.shape.elementCount <= Self.mostListedElements
        type = constant.type.description
        elementCount = tensor.shape.elementCount
        minimum = summary.count > 0 ? summary.minimum : nil
        maximum = summary.count > 0 ? summary.maximum : nil
        zeroCount = summary.zeroCount
        nanCount = summary.nanCount
        infinityCount = summary.infinityCount
        subnormalCount = summary.subnormalCount
        zeroRowCount = summary.zeroRowCount
        let average = summary.count > 0 ? summary.sum / Double(summary.count) : 0
        mean = summary.count > 0 ? average : nil
        var spread = Spread(summary, mean: average, binCount: isListed ? 0 : Self.binCount)
        if summary.count > 0, summary.minimum < summary.maximum { reader?.forEach { spread.add($0) } }
        standardDeviation = summary.count > 0 ? (spread.squares / Double(summary.count)).squareRoot() : nil
        histogram = spread.bins
        elements = isListed ? Self.listed(tensor, reader) : []
        picture = tensor.dtype.isFloatingPoint ? reader.flatMap { WeightPicture(tensor.shape.dims, $0).render() } : nil
    }

    private static func listed(_ tensor: Tensor, _ reader: ElementReader?) -> [String] {
        if tensor.dtype == .string {
            return tensor.elements(of: String.self).map { $0.count > 80 ? $0.prefix(80) + "…" : $0 }
        }
        switch tensor.dtype {
        case .bool: return tensor.elements(of: Bool.self).map { "\($0)" }
        // Beyond 2^53 no Double will do.
        case .int64: return tensor.elements(of: Int64.self).map { "\($0)" }
        case .uint64: return tensor.elements(of: UInt64.self).map { "\($0)" }
        default: break
        }
        var texts: [String] = []
        reader?.forEach { value in
            texts.append(tensor.dtype.isInteger ? "\(Int(value))" : "\(Float(value))")
        }
        return texts
    }
}

/// What one walk over the elements shows.
private struct Summary {
    var minimum = Double.infinity
    var maximum = -Double.infinity
    var sum = 0.0
    /// Of finite elements.
    var count = 0
    var zeroCount = 0
    var nanCount = 0
    var infinityCount = 0
    var subnormalCount = 0
    var zeroRowCount = 0
    /// Magnitudes below this that are not zero are subnormal.
    private let leastNormal: Double
    private let rowLength: Int
    private var position = 0
    private var rowIsZero = true

    init(_ tensor: Tensor) {
        leastNormal =
            switch tensor.dtype {
            case .float32, .bfloat16: Double(Float.leastNormalMagnitude)
            case .float64: .leastNormalMagnitude
            case .float16: Double(Float16.leastNormalMagnitude)
            default: 0
            }
        let rows = tensor.shape.rank > 1 ? tensor.shape[0] : 0
        rowLength = rows > 0 ? tensor.shape.elementCount / rows : 0
    }

    mutating func add(_ value: Double) {
        if value != 0 { rowIsZero = false }
        position += 1
        if position == rowLength {
            if rowIsZero { zeroRowCount += 1 }
            (position, rowIsZero) = (0, true)
        }
        guard value.isFinite else {
            if value.isNaN { nanCount += 1 } else { infinityCount += 1 }
            return
        }
        count += 1
        sum += value
        if value == 0 { zeroCount += 1 } else if value.magnitude < leastNormal { subnormalCount += 1 }
        if value < minimum { minimum = value }
        if value > maximum { maximum = value }
    }
}

/// What a second walk adds.
private struct Spread {
    var squares = 0.0
    var bins: [Int]
    private let mean: Double
    private let minimum: Double
    private let scale: Double

    init(_ summary: Summary, mean: Double, binCount: Int) {
        self.mean = mean
        self.minimum = summary.minimum
        self.bins = [Int](repeating: 0, count: summary.count > 0 ? binCount : 0)
        let range = summary.maximum - summary.minimum
        // A range beyond the largest number has no bins to speak of: everything is in the first.
        self.scale = range.isFinite && range > 0 ? Double(binCount) / range : 0
    }

    mutating func add(_ value: Double) {
        guard value.isFinite else { return }
        squares += (value - mean) * (value - mean)
        guard !bins.isEmpty else { return }
        let position = (value - minimum) * scale
        bins[position >= 0 ? min(bins.count - 1, Int(min(position, 1e6))) : 0] += 1
    }
}

/// Elements of any real type as numbers, in row-major order.
struct ElementReader {
    private let tensor: Tensor
    private let number: @Sendable (UnsafeRawPointer, Int) -> Double

    /// `nil` for strings and complex numbers.
    init?(_ tensor: Tensor) {
        func load<Element>(_ convert: @escaping @Sendable (Element) -> Double)
            -> @Sendable (UnsafeRawPointer, Int) ->
            Double
        {
            { convert($0.assumingMemoryBound(to: Element.self)[$1]) }
        }
        self.tensor = tensor
        switch tensor.dtype {
        case .float32: number = load { (value: Float) in Double(value) }
        case .float64: number = load { (value: Double) in value }
        case .float16: number = load { (value: Float16) in Double(value) }
        case .bfloat16: number = load { (value: BFloat16) in Double(value.float) }
        case .int8, .int4, .int2: number = load { (value: Int8) in Double(value) }
        case .uint8, .uint4, .uint2, .bool: number = load { (value: UInt8) in Double(value) }
        case .int16: number = load { (value: Int16) in Double(value) }
        case .uint16: number = load { (value: UInt16) in Double(value) }
        case .int32: number = load { (value: Int32) in Double(value) }
        case .uint32: number = load { (value: UInt32) in Double(value) }
        case .int64: number = load { (value: Int64) in Double(value) }
        case .uint64: number = load { (value: UInt64) in Double(value) }
        case .float8e8m0: number = load { (value: UInt8) in ScaleFloat.decode(value) }
        default:
            guard let format = MiniFloat(tensor.dtype) else { return nil }
            number = load { (value: UInt8) in format.decode(value) }
        }
    }

    /// The element at an index below the element count.
    subscript(index: Int) -> Double {
        defer { withExtendedLifetime(tensor.buffer) {} }
        return number(tensor.pointer, index)
    }

    /// Walks over all elements; float32 without a call for each.
    func forEach(_ body: (Double) -> Void) {
        defer { withExtendedLifetime(tensor.buffer) {} }
        if tensor.dtype == .float32 {
            for value in tensor.elements(of: Float.self) { body(Double(value)) }
        } else {
            for index in 0..<tensor.shape.elementCount { body(number(tensor.pointer, index)) }
        }
    }
}
