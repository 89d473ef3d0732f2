import CKernels
import GraphIR
import TensorCore

/// An activation of a recurrent layer: functions applied one after the other.
struct RecurrentActivation: Sendable {
    let functions: [UnaryFunction]

    /// What the attributes activation_alpha and activation_beta hold.
    struct Parameters {
        var alphas: ArraySlice<Float>
        var betas: ArraySlice<Float>

        init(_ node: NodeReader) throws(SardonyxError) {
            alphas = try node.floats("activation_alpha")?[...] ?? []
            betas = try node.floats("activation_beta")?[...] ?? []
        }
    }

    /// - Parameters:
    ///   - name: as the standard lists them; case does not count.
    ///   - parameters: `alpha` and `beta` are taken from the front by functions that have them.
    init(_ name: String, _ parameters: inout Parameters, _ node: NodeReader) throws(SardonyxError) {
        func alpha(_ standard: Float) -> Float { parameters.alphas.popFirst() ?? standard }
        func beta(_ standard: Float) -> Float { parameters.betas.popFirst() ?? standard }
        switch name.lowercased() {
        case "relu": functions = [.relu]
        case "tanh": functions = [.tanh]
        case "sigmoid": functions = [.sigmoid]
        case "softsign": functions = [.softsign]
        case "softplus": functions = [.softplus]
        case "affine": functions = [.affine(scale: alpha(1), shift: beta(0))]
        case "leakyrelu": functions = [.leakyRelu(alpha: alpha(0.01))]
        case "thresholdedrelu": functions = [.thresholdedRelu(alpha: alpha(1))]
        case "elu": functions = [.elu(alpha: alpha(1))]
        case "hardsigmoid": functions = [.hardSigmoid(alpha: alpha(0.2), beta: beta(0.5))]
        case "scaledtanh":
            functions = [.affine(scale: beta(1), shift: 0), .tanh, .affine(scale: alpha(1), shift: 0)]
        default:
            throw node.error(
                .unsupported, "activation", got: "'\(Name(name))'",
                allowed: "Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, "
                    + "Softsign, Softplus")
        }
    }
}
