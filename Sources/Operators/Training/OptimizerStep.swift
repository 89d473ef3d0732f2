import Glibc
import GraphIR
import TensorCore

/// ONNX Adagrad, Adam and Momentum (ai.onnx.preview.training 1): one step of training of n tensors. Inputs: the
/// learning rate, the number of the step, n tensors, their n gradients and their states (n accumulated squares, or
/// momenta, or both); outputs: the new tensors and states.
struct OptimizerStep: Operator {
    static let elementTypes: [DType] = [.float32, .float64]
    private enum Rule: Sendable {
        case adagrad(decay: Double, epsilon: Double)
        case adam(alpha: Double, beta: Double, epsilon: Double, regularization: Double)
        case momentum(alpha: Double, beta: Double, isNesterov: Bool)
    }
    private enum Mode: String, CaseIterable { case standard, nesterov }

    private let rule: Rule
    /// Of the squared tensor's gradient, added to the gradient.
    private let regularization: Double
    /// Tensors that each trained tensor has: itself, its gradient and its states.
    private let roles: Int
    private let count: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        func attribute(_ name: String, _ standard: Float) throws(SardonyxError) -> Double {
            Double(try node.float(name, default: standard))
        }
        switch node.node.opType {
        case "Adagrad":
            rule = .adagrad(decay: try attribute("decay_factor", 0), epsilon: try attribute("epsilon", 1e-6))
            roles = 3
        case "Adam":
            rule = .adam(
                alpha: try attribute("alpha", 0.9), beta: try attribute("beta", 0.999),
                epsilon: try attribute("epsilon", 1e-6), regularization: try attribute("norm_coefficient_post", 0))
            roles = 4
        default:
            rule = .momentum(
                alpha: Double(try node.required("alpha", node.float("alpha"))),
                beta: Double(try node.required("beta", node.float("beta"))),
                isNesterov: try node.choice("mode", default: Mode.standard) == .nesterov)
            roles = 3
        }
        regularization = try attribute("norm_coefficient", 0)
        count = (node.inputCount - 2) / roles
        guard count >= 1, node.inputCount == 2 + roles * count else {
            throw node.error(
                .graph, "inputs", got: "\(node.inputCount)", allowed: "2 and \(roles) for each tensor to be trained")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, [.int64], "T")
        for tensor in 0..<count {
            let index = 2 + tensor
            try context.requireDType(index, [.float32, .float64], "input \(index)")
            for role in 1..<roles {
                let other = index + role * count
                try context.requireDType(other, [try context.dtype(index)], "input \(other)")
                if let shape = try context.shape(index) {
                    try context.requireShape(other, shape.dims, "input \(other)")
                }
            }
        }
        var outputs: [Inferred] = []
        for role in 0..<roles where role != 1 {
            for tensor in 0..<count { outputs.append(Inferred(try context.input(2 + role * count + tensor).type)) }
        }
        return outputs
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rate = try context.scalar(0)
        guard let step = try context.integer(1) else { throw context.error(.graph, "input 1 is missing") }
        for tensor in 0..<count {
            if try context.input(2 + tensor).dtype == .float64 {
                try update(Double.self, tensor, rate, step, context)
            } else {
                try update(Float.self, tensor, rate, step, context)
            }
        }
    }

    private func update<T: Number & BinaryFloatingPoint>(
        _ type: T.Type, _ tensor: Int, _ rate: Double, _ step: Int, _ context: RunContext
    ) throws(SardonyxError) {
        func input(_ role: Int) throws(SardonyxError) -> UnsafeMutablePointer<T> {
            try context.input(2 + role * count + tensor).typed(T.self)
        }
        func output(_ role: Int) throws(SardonyxError) -> UnsafeMutablePointer<T> {
            let like = try context.input(2 + tensor)
            return try context.output(role * count + tensor, dtype: like.dtype, shape: like.shape).typed(T.self)
        }
        let (x, gradient, state) = (try input(0), try input(1), try input(2))
        let (newX, newState) = (try output(0), try output(1))
        let elements = try context.input(2 + tensor).elementCount
        func regularized(_ i: Int) -> Double { regularization * Double(x[i]) + Double(gradient[i]) }
        switch rule {
        case .adagrad(let decay, let epsilon):
            let rate = rate / (1 + Double(step) * decay)
            for i in 0..<elements {
                let g = regularized(i)
                let squares = Double(state[i]) + g * g
                newX[i] = T(Double(x[i]) - rate * g / (squares.squareRoot() + epsilon))
                newState[i] = T(squares)
            }
        case .momentum(let alpha, let beta, let isNesterov):
            let beta = step > 0 ? beta : 1
            for i in 0..<elements {
                let g = regularized(i)
                let momentum = alpha * Double(state[i]) + beta * g
                newX[i] = T(Double(x[i]) - rate * (isNesterov ? g + alpha * momentum : momentum))
                newState[i] = T(momentum)
            }
        case .adam(let alpha, let beta, let epsilon, let after):
            let (squares, newSquares) = (try input(3), try output(2))
            let steps = Double(step)
            let rate = step > 0 ? rate * (1 - pow(beta, steps)).squareRoot() / (1 - pow(alpha, steps)) : rate
            for i in 0..<elements {
                let g = regularized(i)
                let momentum = alpha * Double(state[i]) + (1 - alpha) * g
                let square = beta * Double(squares[i]) + (1 - beta) * g * g
                let moved = Double(x[i]) - rate * momentum / (square.squareRoot() + epsilon)
                newX[i] = T((1 - after) * moved)
                newState[i] = T(momentum)
                newSquares[i] = T(square)
            }
        }
    }
}
