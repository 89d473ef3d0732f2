import CKernels
import TensorCore

/// What one direction of a recurrent layer computes at each time step.
protocol RecurrentCell: Sendable {
    /// Gates of W and R, each of `hidden` rows.
    static var gateCount: Int { get }
    static var defaultActivations: [String] { get }
    /// Whether there is a cell state besides the hidden state: inputs initial_c and P, output Y_c.
    static var keepsCellState: Bool { get }

    /// - Parameter activations: as many as `defaultActivations`.
    init(_ node: NodeReader, _ activations: [RecurrentActivation]) throws(SardonyxError)

    /// Runs of gates of R that are multiplied together, in order; the first with the hidden state.
    var products: [Range<Int>] { get }
    /// The first gates, whose recurrent product and bias are added before the step.
    var fusedGates: Int { get }
    /// Whether the recurrent bias of the other gates is kept for the step too.
    var separatesBias: Bool { get }

    /// Writes the next states from the present ones.
    func step<T: RecurrentElement>(_ step: RecurrentStep<T>)
}

extension RecurrentCell {
    static var keepsCellState: Bool { false }
    var products: [Range<Int>] { [0..<Self.gateCount] }
    var fusedGates: Int { Self.gateCount }
    var separatesBias: Bool { false }
}

/// One time step of one direction: states are `[batch, hidden]`.
struct RecurrentStep<T: RecurrentElement> {
    let batch, hidden: Int
    /// `[gates, batch, hidden]`: x W + biases and, for fused gates, h R.
    let gates: UnsafeMutablePointer<T>
    /// The first of `products`: `[batch, gates, hidden]`.
    let recurrent: UnsafeMutablePointer<T>
    let recurrentWidth: Int
    /// `[hidden]`, of the gate behind the fused ones where the cell separates it.
    let recurrentBias: UnsafePointer<T>?
    /// `[3, hidden]`: input, output, forget.
    let peepholes: UnsafePointer<T>?
    let h, c: UnsafePointer<T>
    let nextH, nextC: UnsafeMutablePointer<T>
    /// Packed weights of the second of `products`.
    let secondWeights: UnsafeRawPointer?
    let clip: Float?
    let scratch: UnsafeMutableRawPointer
    let threads: Int

    /// Elements of a state or a gate.
    var count: Int { batch * hidden }

    func gate(_ index: Int) -> UnsafeMutablePointer<T> { gates + index * count }

    /// x = f(x), the argument clipped.
    func activate(_ activation: RecurrentActivation, _ x: UnsafeMutablePointer<T>, count: Int) {
        if let clip { T.apply(.clip(-clip, clip), x, count: count, threads: threads) }
        for function in activation.functions { T.apply(function, x, count: count, threads: threads) }
    }

    /// c `[batch, hidden]` = a `[batch, hidden]` times the weights of the second product.
    func multiplySecond(_ a: UnsafePointer<T>, into c: UnsafeMutablePointer<T>) {
        guard let secondWeights else { return }
        T.multiply(
            RecurrentProduct(m: batch, n: hidden, k: hidden, a: a, weights: secondWeights, bias: nil, c: c),
            scratch: scratch, threads: threads)
    }

    /// x += weights `[hidden]` times y, in every row.
    func addScaled(_ x: UnsafeMutablePointer<T>, _ weights: UnsafePointer<T>, _ y: UnsafePointer<T>) {
        for b in 0..<batch {
            for j in 0..<hidden { x[b * hidden + j] += weights[j] * y[b * hidden + j] }
        }
    }
}
