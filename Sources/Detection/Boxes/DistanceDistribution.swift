import Glibc

/// Distances from a place to the sides of its box, each as logits over the whole distances 0, 1, … (generalised focal
/// loss, arXiv 2006.04388); a distance is the expectation of their softmax.
struct DistanceDistribution: Sendable {
    let bins: Int

    /// NaN when the logits are no distribution.
    /// - Parameters:
    ///   - logits: of one side.
    ///   - step: elements from one bin's to the next's.
    func expectation(_ logits: UnsafePointer<Float>, step: Int) -> Float {
        var largest = -Float.infinity
        for bin in 0..<bins { largest = max(largest, logits[bin * step]) }
        var (total, weighted) = (Float(0), Float(0))
        for bin in 0..<bins {
            let weight = expf(logits[bin * step] - largest)
            total += weight
            weighted += weight * Float(bin)
        }
        return weighted / total
    }

    /// The box in input pixels.
    /// - Parameters:
    ///   - logits: left, top, right and bottom, `bins` each.
    ///   - step: elements from one value to the next.
    ///   - stride: input pixels a unit of distance.
    func box(
        _ logits: UnsafePointer<Float>, step: Int, around point: (x: Float, y: Float), stride: Float
    ) -> Box<Float> {
        func distance(_ side: Int) -> Float { expectation(logits + side * bins * step, step: step) * stride }
        return Box(
            x1: point.x - distance(0), y1: point.y - distance(1), x2: point.x + distance(2), y2: point.y + distance(3))
    }
}
