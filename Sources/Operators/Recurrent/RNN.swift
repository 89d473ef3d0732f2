import TensorCore

/// ONNX RNN (1, 7, 14, 22): H = f(x W + h R + biases).
struct RNN: RecurrentCell {
    static let gateCount = 1
    static let defaultActivations = ["Tanh"]

    private let f: RecurrentActivation

    init(_ node: NodeReader, _ activations: [RecurrentActivation]) throws(SardonyxError) {
        f = activations[0]
    }

    @_specialize(where T == Float)
    func step<T: RecurrentElement>(_ step: RecurrentStep<T>) {
        step.nextH.update(from: step.gates, count: step.count)
        step.activate(f, step.nextH, count: step.count)
    }
}
