import Sardonyx

/// What a step does, coarsely: one colour in pictures.
enum OperatorClass: String, CaseIterable {
    case convolution = "Convolution"
    case winograd = "Winograd convolution"
    case depthwise = "Depthwise convolution"
    case product = "Matrix product"
    case normalization = "Normalisation, reduction"
    case pooling = "Pooling, resizing"
    case pointwise = "Pointwise"
    case movement = "Data movement"
    case other = "Other"

    init(_ step: Profile.Step) { self.init(kind: step.kind, algorithm: step.algorithm) }

    /// - Parameters:
    ///   - kind: the operator as listings name it.
    ///   - isDepthwise: what is known of a convolution whose algorithm is not.
    init(kind: String, algorithm: String, isDepthwise: Bool = false) {
        self =
            switch kind {
            case "Conv", "SiblingConvs", "ConvTranspose":
                algorithm.hasPrefix("winograd")
                    ? .winograd
                    : algorithm.hasPrefix("depthwise") || (algorithm.isEmpty && isDepthwise) ? .depthwise : .convolution
            case let kind where Self.table[kind] != nil: Self.table[kind] ?? .other
            case let kind where kind.hasPrefix("Reduce") || kind.hasSuffix("Normalization"): .normalization
            case let kind where kind.hasSuffix("Pool"): .pooling
            default: .other
            }
    }

    private static let table: [String: OperatorClass] = {
        let lists: [OperatorClass: [String]] = [
            .product: ["MatMul", "Gemm", "Einsum", "Attention", "LinearAttention"],
            .normalization: ["Softmax", "LogSoftmax", "Hardmax", "LRN", "ArgMax", "ArgMin", "CumSum", "TopK"],
            .pooling: ["Resize", "Upsample", "GridSample"],
            .pointwise: [
                "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean", "Abs", "Neg", "Exp", "Log", "Sqrt",
                "Reciprocal", "Erf", "Tanh", "Sigmoid", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu",
                "Silu", "Swish", "Mish", "HardSwish", "HardSigmoid", "Softplus", "Softsign", "Clip", "Where", "Mod",
                "Equal", "Greater", "Less", "Not", "And", "Or", "Floor", "Ceil", "Round", "Sign",
            ],
            .movement: [
                "Reorder", "Transpose", "Concat", "Split", "Slice", "Gather", "GatherElements", "GatherND", "Reshape",
                "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile", "Pad", "Cast", "Identity", "DepthToSpace",
                "SpaceToDepth", "ScatterElements", "ScatterND", "ReverseSequence",
            ],
        ]
        var table: [String: OperatorClass] = [:]
        for (kind, names) in lists { for name in names { table[name] = kind } }
        return table
    }()

    /// Dark text is legible on it.
    var color: String {
        switch self {
        case .convolution: "#7fb2e5"
        case .winograd: "#a596e8"
        case .depthwise: "#6cc5bf"
        case .product: "#f0a868"
        case .normalization: "#d98cbb"
        case .pooling: "#d9bf55"
        case .pointwise: "#94c973"
        case .movement: "#ee8585"
        case .other: "#aab3bf"
        }
    }

    /// The same colour, nearly white.
    var tint: String {
        switch self {
        case .convolution: "#e6f0fb"
        case .winograd: "#ece8fb"
        case .depthwise: "#e0f4f2"
        case .product: "#fcebdb"
        case .normalization: "#f8e4f0"
        case .pooling: "#f7f0d3"
        case .pointwise: "#e7f4de"
        case .movement: "#fce3e3"
        case .other: "#eceff3"
        }
    }
}
