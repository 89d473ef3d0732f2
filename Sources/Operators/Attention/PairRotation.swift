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
        for i in 0..<pairs {
            let (even, odd) = isInterleaved ? (2 * i, 2 * i + 1) : (i, i + pairs)
            let (a, b) = (x[even] * T(scale), x[odd] * T(scale))
            y[even] = cosines[i] * a - sines[i] * b
            y[odd] = sines[i] * a + cosines[i] * b
        }
        for i in 2 * pairs..<width { y[i] = x[i] * T(scale) }
    }
}
