import Glibc
import GraphIR
import TensorCore

/// What the models of ai.onnx.ml do to their scores at the end; in the order of the numbers of TreeEnsemble.
enum PostTransform: String, CaseIterable {
    case none = "NONE", softmax = "SOFTMAX", logistic = "LOGISTIC", softmaxZero = "SOFTMAX_ZERO", probit = "PROBIT"

    typealias Scores = UnsafeMutableBufferPointer<Double>

    func apply(_ scores: Scores) {
        switch self {
        case .none: break
        case .logistic: for i in scores.indices { scores[i] = 1 / (1 + exp(-scores[i])) }
        case .probit: for i in scores.indices { scores[i] = PostTransform.probit(scores[i]) }
        case .softmax: PostTransform.normalize(scores, keepsZeros: false)
        case .softmaxZero: PostTransform.normalize(scores, keepsZeros: true)
        }
    }

    /// Softmax; with `keepsZeros` scores of (nearly) zero take no part in it and stay (nearly) zero.
    private static func normalize(_ scores: Scores, keepsZeros: Bool) {
        let greatest = scores.max() ?? 0
        var sum = 0.0
        for i in scores.indices {
            scores[i] = keepsZeros && abs(scores[i]) <= 1e-7 ? scores[i] * exp(-greatest) : exp(scores[i] - greatest)
            sum += scores[i]
        }
        for i in scores.indices { scores[i] = sum == 0 ? 0.5 : scores[i] / sum }
    }

    /// The quantile of the normal distribution, by the approximation of the inverse error function (Winitzki's, with
    /// 0.147) that the standard's reference has; it is off by up to 0.003.
    private static func probit(_ probability: Double) -> Double {
        let x = 2 * probability - 1
        let logarithm = log((1 - x) * (1 + x))
        let half = 2 / (Double.pi * 0.147) + logarithm / 2
        let root = ((half * half - logarithm / 0.147).squareRoot() - half).squareRoot()
        return 2.0.squareRoot() * (x < 0 ? -root : root)
    }

    /// The two scores of a model with one: that of the negative class first.
    /// - Parameter complements: untransformed scores are 1 - s and s, otherwise -s and s.
    func applyToPair(_ scores: Scores, complements: Bool) {
        let score = scores[1]
        let isProbability = self == .probit || self == .none && complements
        scores[0] = isProbability ? 1 - score : -score
        apply(scores)
    }
}
