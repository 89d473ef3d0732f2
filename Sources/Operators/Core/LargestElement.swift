import TensorCore

/// The first greatest elements of lines of float32 that follow each other in memory.
enum LargestElement {
    /// The index of the first greatest one of at least one element; the first NaN is greater than all.
    /// - Parameter sign: -1 for the least instead.
    static func index(in line: UnsafePointer<Float>, count: Int, sign: Float) -> Int {
        let lanes = 16
        var best = SIMD16<Float>(repeating: -.infinity)
        var sum = SIMD16<Float>(repeating: 0)
        var index = 0
        let raw = UnsafeRawPointer(line)
        while index + lanes <= count {
            let value = raw.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self) * sign
            best.replace(with: value, where: value .> best)
            // NaN stays in a sum of products with zero; an infinity makes one, which the search below sorts out.
            sum += value * 0
            index += lanes
        }
        var greatest = best.max()
        var isSuspect = !(sum.sum() == 0)
        while index < count {
            let value = line[index] * sign
            greatest = value > greatest ? value : greatest
            isSuspect = isSuspect || value.isNaN
            index += 1
        }
        if isSuspect, let first = (0..<count).first(where: { line[$0].isNaN }) { return first }
        greatest *= sign
        index = 0
        while index + lanes <= count {
            let value = raw.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self)
            if any(value .== SIMD16(repeating: greatest)) { break }
            index += lanes
        }
        while index < count, line[index] != greatest { index += 1 }
        return min(index, count - 1)
    }
}
