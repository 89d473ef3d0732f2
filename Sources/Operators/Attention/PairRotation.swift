/// Turns pairs of elements of a row by angles given as cosines and sines: the pairs are neighbours where interleaved,
/// else element i of both halves of the first 2 `pairs` elements. The rest of the row is copied.
struct PairRotation: Sendable {
    var pairs: Int
    var width: Int
    var isInterleaved: Bool
    /// Multiplies the row.
    var scale: Float = 1

    func apply<T: AttentionElement>(
        _ x: UnsafePointer<T>, to y: UnsafeMutablePointer<T>, cosines: UnsafePointer<T>, sines: UnsafePointer<T>
    ) {
        if isInterleaved {
            for i in 0..<pairs {
                let (a, b) = (x[2 * i] * T(scale), x[2 * i + 1] * T(scale))
                y[2 * i] = cosines[i] * a - sines[i] * b
                y[2 * i + 1] = sines[i] * a + cosines[i] * b
            }
        } else {
            let (second, turned) = (x + pairs, y + pairs)
            for i in 0..<pairs {
                let (a, b) = (x[i] * T(scale), second[i] * T(scale))
                y[i] = cosines[i] * a - sines[i] * b
                turned[i] = sines[i] * a + cosines[i] * b
            }
        }
        for i in 2 * pairs..<width { y[i] = x[i] * T(scale) }
    }
}
