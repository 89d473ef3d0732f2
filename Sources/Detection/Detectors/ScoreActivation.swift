import Glibc

/// What turns a network's class values into scores.
enum ScoreActivation: String, CaseIterable {
    case softmax, sigmoid, none

    /// The scores of `count` values; a NaN makes all of a softmax NaN.
    func apply(_ values: UnsafePointer<Float>, count: Int, to scores: UnsafeMutablePointer<Float>) {
        switch self {
        case .none: scores.update(from: values, count: count)
        case .sigmoid: for index in 0..<count { scores[index] = Sigmoid.of(values[index]) }
        case .softmax:
            var maximum = -Float.infinity
            for index in 0..<count where values[index] > maximum { maximum = values[index] }
            var sum: Float = 0
            for index in 0..<count {
                scores[index] = expf(values[index] - maximum)
                sum += scores[index]
            }
            for index in 0..<count { scores[index] /= sum }
        }
    }
}
