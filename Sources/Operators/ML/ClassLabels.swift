import GraphIR
import TensorCore

/// The labels of a classifier's classes.
enum ClassLabels: Sendable {
    case ints([Int])
    case strings([String])

    /// - Parameters:
    ///   - ints, strings: names of the two attributes, of which one must be there.
    init(_ node: NodeReader, ints: String, strings: String = "classlabels_strings") throws(SardonyxError) {
        let (numbers, texts) = (try node.ints(ints) ?? [], try node.strings(strings) ?? [])
        guard numbers.isEmpty != texts.isEmpty else {
            throw node.error(
                .value, "class labels", got: numbers.isEmpty ? "none" : "both kinds", allowed: "\(ints) or \(strings)")
        }
        self = numbers.isEmpty ? .strings(texts) : .ints(numbers)
    }

    var count: Int {
        switch self {
        case .ints(let labels): labels.count
        case .strings(let labels): labels.count
        }
    }

    var dtype: DType {
        if case .ints = self { .int64 } else { .string }
    }

    /// The labels of the negative and the positive class of a model with one score: the model's two labels, or 0 and 1.
    var pair: ClassLabels {
        guard count != 2 else { return self }
        if case .ints = self { return .ints([0, 1]) }
        return .strings(["0", "1"])
    }

    func write(_ label: Int, to output: TensorView, row: Int) {
        switch self {
        case .ints(let labels): output.typed(Int64.self)[row] = Int64(labels[label])
        case .strings(let labels): output.typed(String.self)[row] = labels[label]
        }
    }
}

extension UnsafeMutableBufferPointer<Double> {
    /// The position of the greatest element, the first of equal ones; 0 when there is none.
    var indexOfGreatest: Int {
        var best = 0
        for index in indices where self[index] > self[best] { best = index }
        return best
    }
}
