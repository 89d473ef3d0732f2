import GraphIR
import TensorCore

extension Domains {
    /// Operators of ONNX Runtime, which its optimiser and exporters write into models.
    package static let microsoft = "com.microsoft"
}

extension OperatorTable {
    /// Operators of ONNX Runtime: version 1 of `com.microsoft`, and one that it writes into the default domain.
    static let contrib: [OperatorEntry] = [
        .floating("Attention", 1...1, MultiHeadAttention.self, domain: Domains.microsoft),
        .floating("BiasGelu", 1...1, BiasedActivation.self, domain: Domains.microsoft),
        .op("DequantizeLinear", 1...1, DequantizeLinear.self, domain: Domains.microsoft),
        .product("DynamicQuantizeMatMul", 1...1, .dynamicQuantizeMatMul),
        .floating("FastGelu", 1...1, BiasedActivation.self, domain: Domains.microsoft),
        .floating("FusedConv", 1...1, Conv.self, domain: Domains.microsoft),
        .floating("FusedGemm", 1...1, Gemm.self, domain: Domains.microsoft),
        .floating("FusedMatMul", 1...1, FusedMatMul.self, domain: Domains.microsoft),
        .unary("Gelu", from: 1, domain: Domains.microsoft) { (_) throws(SardonyxError) in .geluByErf },
        .row("GridSample", 1...1, GridSample.self, domain: Domains.microsoft) { (node) throws(SardonyxError) in
            HalfPrecision(try GridSample(NodeReader(node.node, opset: 16)))
        },
        .op("GroupQueryAttention", 1...1, GroupQueryAttention.self, domain: Domains.microsoft),
        .floating("Inverse", 1...1, Inverse.self, domain: Domains.microsoft),
        .product("MatMulIntegerToFloat", 1...1, .matMulIntegerToFloat),
        .floating("MatMulNBits", 1...1, MatMulNBits.self, domain: Domains.microsoft),
        .floating("MultiHeadAttention", 1...1, MultiHeadAttention.self, domain: Domains.microsoft),
        .product("QGemm", 1...1, .qGemm),
        .dequantized("QLinearAdd", as: "Add", opset: 14, .binary),
        .dequantized("QLinearAveragePool", as: "AveragePool", opset: 11, .unary),
        .row("QLinearConcat", 1...1, DequantizedOperator.self, domain: Domains.microsoft, types: [.float32]) {
            (node) throws(SardonyxError) in
            guard node.inputCount >= 5, node.inputCount % 3 == 2 else {
                throw node.error(
                    .graph, "inputs", got: "\(node.inputCount)", allowed: "2, and 3 for each tensor to join")
            }
            return try DequantizedOperator("Concat", opset: 13, .joining((node.inputCount - 2) / 3), node)
        },
        .op("QLinearConv", 1...1, QuantizedConv.self, domain: Domains.microsoft),
        .dequantized("QLinearGlobalAveragePool", as: "GlobalAveragePool", opset: 1, .unary),
        .dequantized("QLinearLeakyRelu", as: "LeakyRelu", opset: 6, .unary),
        .dequantized("QLinearMul", as: "Mul", opset: 14, .binary),
        .dequantized("QLinearReduceMean", as: "ReduceMean", opset: 13, .unary),
        .dequantized("QLinearSigmoid", as: "Sigmoid", opset: 13, .unary),
        .row("QLinearSoftmax", 1...1, DequantizedOperator.self, domain: Domains.microsoft) {
            (node) throws(SardonyxError) in
            let opset = try node.required("opset", try node.positive("opset"))
            return try DequantizedOperator("Softmax", opset: min(opset, newestOpset), .unary, node)
        },
        .dequantized("QLinearWhere", as: "Where", opset: 16, .choice),
        .op("QuantizeLinear", 1...1, QuantizeLinear.self, domain: Domains.microsoft),
        .unary("QuickGelu", from: 1, domain: Domains.microsoft, UnaryFunction.quickGelu),
        .floating("RotaryEmbedding", 1...1, RotaryEmbedding.self, domain: Domains.microsoft),
        .row("SimplifiedLayerNormalization", 1...newestOpset, LayerNormalization.self, simplified),
        .row(
            "SimplifiedLayerNormalization", 1...1, LayerNormalization.self, domain: Domains.microsoft, simplified),
        .floating("SkipLayerNormalization", 1...1, SkipNormalization.self, domain: Domains.microsoft),
        .floating(
            "SkipSimplifiedLayerNormalization", 1...1, SkipNormalization.self, domain: Domains.microsoft),
        .floating("TransposeMatMul", 1...1, FusedMatMul.self, domain: Domains.microsoft),
        .op("Trilu", 1...1, Trilu.self, domain: Domains.microsoft),
    ]

    /// RMSNormalization under the name that it had before the standard took it in.
    @Sendable private static func simplified(_ node: NodeReader) throws(SardonyxError) -> any Operator {
        guard !node.hasOutput(1) else {
            throw node.error(.unsupported, "output inv_std_var", got: "one", allowed: "output y only")
        }
        return HalfPrecision(try LayerNormalization(node))
    }
}
