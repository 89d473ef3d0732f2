import Glibc

/// Scores from logits.
enum Sigmoid {
    static func of(_ logit: Float) -> Float { 1 / (1 + expf(-logit)) }

    /// A logit so low that neither it nor any below has a sigmoid above `score`: spares the others the exponential.
    static func floor(of score: Float) -> Float {
        guard score > 0 else { return -.infinity }
        guard score < 1 else { return .infinity }
        return logit(score) - 1e-3
    }

    /// The value whose sigmoid is `score`, 0 to 1.
    static func logit(_ score: Float) -> Float { logf(score / (1 - score)) }
}
