import TensorCore

/// ONNX GRU (1, 3, 7, 14, 22), gates in the order update, reset, hidden: H = (1 - z) g(…) + z h; the reset gate acts on
/// h before its product with R, or on the product where `linear_before_reset`.
struct GRU: RecurrentCell {
    static let gateCount = 3
    static let defaultActivations = ["Sigmoid", "Tanh"]

    private let f, g: RecurrentActivation
    private let resetsProduct: Bool

    init(_ node: NodeReader, _ activations: [RecurrentActivation]) throws(SardonyxError) {
        (f, g) = (activations[0], activations[1])
        resetsProduct = try node.bool("linear_before_reset", default: false)
    }

    var products: [Range<Int>] { resetsProduct ? [0..<3] : [0..<2, 2..<3] }
    var fusedGates: Int { 2 }
    var separatesBias: Bool { resetsProduct }

    @_specialize(where T == Float)
    func step<T: RecurrentElement>(_ step: RecurrentStep<T>) {
        let (count, hidden) = (step.count, step.hidden)
        let (update, reset, candidate) = (step.gate(0), step.gate(1), step.gate(2))
        let (h, nextH) = (step.h, step.nextH)
        step.activate(f, update, count: 2 * count)
        if resetsProduct {
            for b in 0..<step.batch {
                let product = step.recurrent + b * step.recurrentWidth + 2 * hidden
                for j in 0..<hidden {
                    let linear = product[j] + (step.recurrentBias?[j] ?? 0)
                    candidate[b * hidden + j] += reset[b * hidden + j] * linear
                }
            }
        } else {
            for i in 0..<count { nextH[i] = reset[i] * h[i] }
            step.multiplySecond(nextH, into: step.recurrent)
            for i in 0..<count { candidate[i] += step.recurrent[i] }
        }
        step.activate(g, candidate, count: count)
        for i in 0..<count { nextH[i] = (1 - update[i]) * candidate[i] + update[i] * h[i] }
    }
}
