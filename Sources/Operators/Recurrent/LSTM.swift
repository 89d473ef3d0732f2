import TensorCore

/// ONNX LSTM (1, 7, 14, 22), gates in the order input, output, forget, cell:
/// C = f c + i g(…), H = o h(C), with peepholes from the cell state to the gates.
struct LSTM: RecurrentCell {
    static let gateCount = 4
    static let defaultActivations = ["Sigmoid", "Tanh", "Tanh"]
    static let keepsCellState = true

    private let f, g, h: RecurrentActivation
    /// Whether the forget gate is 1 - input gate.
    private let couplesInputAndForget: Bool

    init(_ node: NodeReader, _ activations: [RecurrentActivation]) throws(SardonyxError) {
        (f, g, h) = (activations[0], activations[1], activations[2])
        couplesInputAndForget = try node.bool("input_forget", default: false)
    }

    @_specialize(where T == Float)
    func step<T: RecurrentElement>(_ step: RecurrentStep<T>) {
        let (count, hidden) = (step.count, step.hidden)
        let (input, output, forget, cell) = (step.gate(0), step.gate(1), step.gate(2), step.gate(3))
        if let peepholes = step.peepholes {
            step.addScaled(input, peepholes, step.c)
            step.addScaled(forget, peepholes + 2 * hidden, step.c)
            step.activate(f, input, count: count)
            step.activate(f, forget, count: count)
        } else {
            step.activate(f, input, count: 3 * count)
        }
        if couplesInputAndForget {
            for i in 0..<count { forget[i] = 1 - input[i] }
        }
        step.activate(g, cell, count: count)
        let (c, nextC, nextH) = (step.c, step.nextC, step.nextH)
        for i in 0..<count { nextC[i] = forget[i] * c[i] + input[i] * cell[i] }
        if let peepholes = step.peepholes {
            step.addScaled(output, peepholes + hidden, nextC)
            step.activate(f, output, count: count)
        }
        nextH.update(from: nextC, count: count)
        step.activate(h, nextH, count: count)
        for i in 0..<count { nextH[i] *= output[i] }
    }
}
