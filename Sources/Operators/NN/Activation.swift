import CKernels
import GraphIR
import TensorCore

extension NodeReader {
    /// The activation that a pass, or ONNX Runtime, fused into this node: attribute `activation` holds the name of an
    /// ONNX operator, `activation_alpha` and `activation_beta`, or `activation_params`, its parameters (Clip: bounds),
    /// with the operator's defaults.
    func fusedActivation() throws(SardonyxError) -> sx_activation {
        // On an operator of the standard it is an attribute like any other that nobody reads.
        guard node.domain != Domains.onnx, let name = try string("activation") else {
            return sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0)
        }
        let op: (sx_unary_op, alpha: Float, beta: Float)? =
            switch name {
            case "Relu": (SX_UNARY_RELU, 0, 0)
            case "LeakyRelu": (SX_UNARY_LEAKY_RELU, 0.01, 0)
            case "Clip": (SX_UNARY_CLIP, -.infinity, .infinity)
            case "Sigmoid": (SX_UNARY_SIGMOID, 0, 0)
            case "Tanh": (SX_UNARY_TANH, 0, 0)
            case "HardSwish": (SX_UNARY_HARD_SWISH, 0, 0)
            case "HardSigmoid": (SX_UNARY_HARD_SIGMOID, 0.2, 0.5)
            case "Silu": (SX_UNARY_SILU, 0, 0)
            case "Gelu": (SX_UNARY_GELU, 0, 0)
            case "Elu": (SX_UNARY_ELU, 1, 0)
            case "Mish": (SX_UNARY_MISH, 0, 0)
            default: nil
            }
        guard let op else {
            throw error(
                .unsupported, "attribute activation", got: "'\(name)'",
                allowed: "Relu, LeakyRelu, Clip, Sigmoid, Tanh, HardSwish, HardSigmoid, Silu, Gelu, Elu, Mish")
        }
        let listed = try floats("activation_params") ?? []
        let alpha = try float("activation_alpha", default: op.alpha)
        let beta = try float("activation_beta", default: op.beta)
        return sx_activation(op: op.0, a: listed.first ?? alpha, b: listed.dropFirst().first ?? beta)
    }
}
