import GraphIR
import TensorCore

/// One line of the operator table: a domain, a name and a range of opset versions, and how to make the operator.
package struct OperatorEntry: Sendable {
    package let domain: String
    package let name: String
    /// Versions of the domain that this implementation is right for.
    package let versions: ClosedRange<Int>
    /// Element types that input 0 may have where it is a tensor.
    package let elementTypes: [DType]
    /// Name of the type that implements it.
    package let implementation: String
    package let make: @Sendable (NodeReader) throws(SardonyxError) -> any Operator

    /// An operator with a type of its own.
    static func op<Op: Operator>(
        _ name: String, _ versions: ClosedRange<Int>, _ type: Op.Type, domain: String = Domains.onnx,
        types: [DType]? = nil
    ) -> OperatorEntry {
        row(name, versions, Op.self, domain: domain, types: types) { (node) throws(SardonyxError) in try Op(node) }
    }

    /// A row of a family: one type that serves several operators.
    /// - Parameter types: of input 0, where this operator takes fewer than the family.
    static func row<Op: Operator>(
        _ name: String, _ versions: ClosedRange<Int>, _ type: Op.Type, domain: String = Domains.onnx,
        types: [DType]? = nil, _ make: @escaping @Sendable (NodeReader) throws(SardonyxError) -> any Operator
    ) -> OperatorEntry {
        OperatorEntry(
            domain: domain, name: name, versions: versions, elementTypes: types ?? Op.elementTypes,
            implementation: "\(Op.self)", make: make)
    }
}

/// Every operator that Sardonyx can run, in alphabetical order.
package enum OperatorTable {
    /// The newest version of the default domain that the entries were written for.
    package static let newestOpset = 28

    package static let entries = standard + machineLearning + contrib

    private static let standard: [OperatorEntry] = [
        .unary("Abs", from: 1, .abs),
        .unary("Acos", from: 7, .acos),
        .unary("Acosh", from: 9, .acosh),
        .binary("Add", from: 1, .add),
        .floating("AffineGrid", 20...newestOpset, AffineGrid.self),
        .op("And", 1...28, LogicalBinary.self),
        .op("ArgMax", 1...28, ArgExtreme.self),
        .op("ArgMin", 1...28, ArgExtreme.self),
        .unary("Asin", from: 7, .asin),
        .unary("Asinh", from: 9, .asinh),
        .unary("Atan", from: 7, .atan),
        .unary("Atanh", from: 9, .atanh),
        .floating("Attention", 23...newestOpset, DotProductAttention.self),
        .floating("AveragePool", 1...newestOpset, Pool.self),
        .floating("BatchNormalization", 1...newestOpset, BatchNormalization.self),
        .floating("Bernoulli", 15...newestOpset, Bernoulli.self),
        .op("BitCast", 26...newestOpset, BitCast.self),
        .op("BitShift", 11...28, BitwiseBinary.self),
        .op("BitwiseAnd", 18...28, BitwiseBinary.self),
        .op("BitwiseNot", 18...28, UnaryLogic.self, types: DType.integers),
        .op("BitwiseOr", 18...28, BitwiseBinary.self),
        .op("BitwiseXor", 18...28, BitwiseBinary.self),
        .op("BlackmanWindow", 17...28, Window.self),
        .op("Cast", 1...28, Cast.self),
        .op("CastLike", 15...28, Cast.self),
        .floating("CausalConvWithState", 27...newestOpset, CausalConvWithState.self),
        .unary("Ceil", from: 1, .ceil),
        .unary("Celu", from: 12, UnaryFunction.celu),
        .op("CenterCropPad", 18...28, CenterCropPad.self),
        .floating("Clip", 1...newestOpset, Clip.self),
        .op("Col2Im", 18...28, Col2Im.self),
        .op("Compress", 9...28, Compress.self),
        .op("Concat", 1...28, Concat.self),
        .op("ConcatFromSequence", 11...newestOpset, ConcatFromSequence.self),
        .op("Constant", 1...28, ConstantOperator.self),
        .op("ConstantOfShape", 9...28, ConstantOfShape.self),
        .floating("Conv", 1...newestOpset, Conv.self),
        .op("ConvInteger", 10...newestOpset, QuantizedConv.self),
        .floating("ConvTranspose", 1...newestOpset, ConvTranspose.self),
        .unary("Cos", from: 7, .cos),
        .unary("Cosh", from: 9, .cosh),
        .op("CumProd", 26...28, CumulativeOperator.self),
        .op("CumSum", 11...28, CumulativeOperator.self),
        .floating("DeformConv", 19...newestOpset, DeformConv.self),
        .op("DepthToSpace", 1...28, DepthToSpace.self),
        .op("DequantizeLinear", 10...newestOpset, DequantizeLinear.self),
        .floating("Det", 11...newestOpset, Det.self),
        .floating("DFT", 17...newestOpset, DFT.self),
        .binary("Div", from: 1, .divide),
        .floating("Dropout", 1...newestOpset, Dropout.self),
        .op("DynamicQuantizeLinear", 11...newestOpset, DynamicQuantizeLinear.self),
        .floating("Einsum", 12...newestOpset, Einsum.self),
        .unary("Elu", from: 1, UnaryFunction.elu),
        .op("Equal", 1...28, Comparison.self, types: DType.numeric + [.bool, .string]),
        .unary("Erf", from: 9, .erf),
        .unary("Exp", from: 1, .exp),
        .op("Expand", 8...28, Expand.self),
        .op("EyeLike", 9...28, EyeLike.self),
        .op("Flatten", 1...28, Flatten.self),
        .unary("Floor", from: 1, .floor),
        .op("Gather", 1...28, Gather.self),
        .op("GatherElements", 11...28, GatherElements.self),
        .op("GatherND", 11...28, GatherND.self),
        .unary("Gelu", from: 20, UnaryFunction.gelu),
        .floating("Gemm", 1...newestOpset, Gemm.self),
        .floating("GlobalAveragePool", 1...newestOpset, GlobalPool.self),
        .floating("GlobalLpPool", 1...newestOpset, GlobalPool.self),
        .floating("GlobalMaxPool", 1...newestOpset, GlobalPool.self),
        .op("Greater", 1...28, Comparison.self),
        .op("GreaterOrEqual", 12...28, Comparison.self),
        .floating("GridSample", 16...newestOpset, GridSample.self),
        .floating("GroupNormalization", 18...newestOpset, GroupNormalization.self),
        .floating("GRU", 1...newestOpset, RecurrentLayer<GRU>.self),
        .op("HammingWindow", 17...28, Window.self),
        .op("HannWindow", 17...28, Window.self),
        .floating("Hardmax", 1...newestOpset, Softmax.self),
        .unary("HardSigmoid", from: 1, UnaryFunction.hardSigmoid),
        .unary("HardSwish", from: 14, .hardSwish),
        .op("Identity", 1...28, Identity.self),
        .op("If", 1...newestOpset, If.self),
        .op("ImageDecoder", 20...newestOpset, ImageDecoder.self),
        .floating("InstanceNormalization", 1...newestOpset, GroupNormalization.self),
        .op("IsInf", 10...28, FloatClass.self),
        .op("IsNaN", 9...28, FloatClass.self),
        .floating("LayerNormalization", 17...newestOpset, LayerNormalization.self),
        .unary("LeakyRelu", from: 1, UnaryFunction.leakyRelu),
        .op("Less", 1...28, Comparison.self),
        .op("LessOrEqual", 12...28, Comparison.self),
        .floating("LinearAttention", 27...newestOpset, LinearAttention.self),
        .unary("Log", from: 1, .log),
        .floating("LogSoftmax", 1...newestOpset, Softmax.self),
        .op("Loop", 1...newestOpset, Loop.self),
        .floating("LpNormalization", 1...newestOpset, LpNormalization.self),
        .floating("LpPool", 1...newestOpset, Pool.self),
        .floating("LRN", 1...newestOpset, LRN.self),
        .floating("LSTM", 1...newestOpset, RecurrentLayer<LSTM>.self),
        .floating("MatMul", 1...newestOpset, MatMul.self),
        .product("MatMulInteger", 10...newestOpset, domain: Domains.onnx, .matMulInteger),
        .variadic("Max", .maximum),
        .floating("MaxPool", 1...newestOpset, Pool.self),
        .floating("MaxRoiPool", 1...newestOpset, MaxRoiPool.self),
        .floating("MaxUnpool", 9...newestOpset, MaxUnpool.self),
        .variadic("Mean", .add, mean: true),
        .floating("MeanVarianceNormalization", 9...newestOpset, MeanVarianceNormalization.self),
        .op("MelWeightMatrix", 17...28, MelWeightMatrix.self),
        .variadic("Min", .minimum),
        .unary("Mish", from: 18, .mish),
        .binary("Mod", from: 10, Binary.modulo),
        .binary("Mul", from: 1, .multiply),
        .floating("Multinomial", 7...newestOpset, Multinomial.self),
        .unary("Neg", from: 1, .neg),
        .floating("NegativeLogLikelihoodLoss", 12...newestOpset, CrossEntropyLoss.self),
        .op("NonMaxSuppression", 10...28, NonMaxSuppression.self),
        .op("NonZero", 9...28, NonZero.self),
        .op("Not", 1...28, UnaryLogic.self, types: [.bool]),
        .op("OneHot", 9...28, OneHot.self),
        .op("Optional", 15...newestOpset, OptionalOperator.self),
        .op("OptionalGetElement", 15...newestOpset, OptionalGetElement.self),
        .op("OptionalHasElement", 15...newestOpset, OptionalHasElement.self),
        .op("Or", 1...28, LogicalBinary.self),
        .op("Pad", 1...28, Pad.self),
        .binary("Pow", from: 1, .power),
        .binary("PRelu", from: 1, .prelu),
        .op("QLinearConv", 10...newestOpset, QuantizedConv.self),
        .product("QLinearMatMul", 10...newestOpset, domain: Domains.onnx, .qLinearMatMul),
        .op("QuantizeLinear", 10...newestOpset, QuantizeLinear.self),
        .op("RandomNormal", 1...28, RandomNumbers.self),
        .op("RandomNormalLike", 1...28, RandomNumbers.self),
        .op("RandomUniform", 1...28, RandomNumbers.self),
        .op("RandomUniformLike", 1...28, RandomNumbers.self),
        .op("Range", 11...28, RangeOperator.self),
        .unary("Reciprocal", from: 1, .reciprocal),
        .reduction("ReduceL1", .l1),
        .reduction("ReduceL2", .l2),
        .reduction("ReduceLogSum", .logSum),
        .reduction("ReduceLogSumExp", .logSumExp),
        .reduction("ReduceMax", .maximum),
        .reduction("ReduceMean", .mean),
        .reduction("ReduceMin", .minimum),
        .reduction("ReduceProd", .product),
        .reduction("ReduceSum", .sum),
        .reduction("ReduceSumSquare", .sumSquare),
        .op("RegexFullMatch", 20...newestOpset, RegexFullMatch.self),
        .unary("Relu", from: 1, .relu),
        .op("Reshape", 1...28, Reshape.self),
        .floating("Resize", 10...newestOpset, Resize.self),
        .op("ReverseSequence", 10...28, ReverseSequence.self),
        .floating("RMSNormalization", 23...newestOpset, LayerNormalization.self),
        .floating("RNN", 1...newestOpset, RecurrentLayer<RNN>.self),
        .floating("RoiAlign", 10...newestOpset, RoiAlign.self),
        .floating("RotaryEmbedding", 23...newestOpset, RotaryEmbedding.self),
        .unary("Round", from: 11, .round),
        .op("Scan", 8...newestOpset, Scan.self),
        .op("Scatter", 9...28, ScatterElements.self),
        .op("ScatterElements", 11...28, ScatterElements.self),
        .op("ScatterND", 11...28, ScatterND.self),
        .unary("Selu", from: 1, UnaryFunction.selu),
        .op("SequenceAt", 11...newestOpset, SequenceAt.self),
        .op("SequenceConstruct", 11...newestOpset, SequenceConstruct.self),
        .op("SequenceEmpty", 11...newestOpset, SequenceEmpty.self),
        .op("SequenceErase", 11...newestOpset, SequenceErase.self),
        .op("SequenceInsert", 11...newestOpset, SequenceInsert.self),
        .op("SequenceLength", 11...newestOpset, SequenceLength.self),
        .op("SequenceMap", 17...newestOpset, SequenceMap.self),
        .op("Shape", 1...28, ShapeOperator.self),
        .floating("Shrink", 9...newestOpset, Shrink.self),
        .unary("Sigmoid", from: 1, .sigmoid),
        .unary("Sign", from: 9, .sign),
        .unary("Sin", from: 7, .sin),
        .unary("Sinh", from: 9, .sinh),
        .op("Size", 1...28, ShapeOperator.self),
        .op("Slice", 1...28, Slice.self),
        .floating("Softmax", 1...newestOpset, Softmax.self),
        .floating("SoftmaxCrossEntropyLoss", 12...newestOpset, CrossEntropyLoss.self),
        .unary("Softplus", from: 1, .softplus),
        .unary("Softsign", from: 1, .softsign),
        .op("SpaceToDepth", 1...28, DepthToSpace.self),
        .op("Split", 1...28, Split.self),
        .op("SplitToSequence", 11...newestOpset, SplitToSequence.self),
        .unary("Sqrt", from: 1, .sqrt),
        .floating("STFT", 17...newestOpset, STFT.self),
        .op("Squeeze", 1...28, Squeeze.self),
        .op("StringConcat", 20...newestOpset, StringConcat.self),
        .op("StringNormalizer", 10...newestOpset, StringNormalizer.self),
        .op("StringSplit", 20...newestOpset, StringSplit.self),
        .binary("Sub", from: 1, .subtract),
        .variadic("Sum", .add),
        .floating("SwiGLU", 28...newestOpset, SwiGLU.self),
        .unary("Swish", from: 24, UnaryFunction.swish),
        .unary("Tan", from: 7, .tan),
        .unary("Tanh", from: 1, .tanh),
        .op("TensorScatter", 24...28, TensorScatter.self),
        .op("TfIdfVectorizer", 9...newestOpset, TfIdfVectorizer.self),
        .unary("ThresholdedRelu", from: 10, UnaryFunction.thresholdedRelu),
        .op("Tile", 1...28, Tile.self),
        .op("TopK", 1...28, TopK.self),
        .op("Transpose", 1...28, Transpose.self),
        .op("Trilu", 14...28, Trilu.self),
        .op("Unique", 11...28, Unique.self),
        .op("Unsqueeze", 1...28, Unsqueeze.self),
        .floating("Upsample", 1...9, Resize.self),
        .op("Where", 9...28, Where.self),
        .op("Xor", 1...28, LogicalBinary.self),
        .floating("FlexAttention", 1...1, FlexAttention.self, domain: Domains.preview),
        .op("Adagrad", 1...1, OptimizerStep.self, domain: Domains.training),
        .op("Adam", 1...1, OptimizerStep.self, domain: Domains.training),
        .op("Momentum", 1...1, OptimizerStep.self, domain: Domains.training),
        .op("Attention", 1...1, Attention.self, domain: Domains.internal),
        .op("Conv", 1...1, Conv.self, domain: Domains.internal),
        .op("GatherChannels", 1...1, GatherChannels.self, domain: Domains.internal),
        .unary("Gelu", from: 1, domain: Domains.internal, UnaryFunction.gelu),
        .op("Gemm", 1...1, Gemm.self, domain: Domains.internal),
        .unary("HardSwish", from: 1, .hardSwish, domain: Domains.internal),
        .op("MatMul", 1...1, MatMul.self, domain: Domains.internal),
        .floating("OnesLike", 1...1, LikeOperator.self, domain: Domains.internal),
        .op("Reorder", 1...1, Reorder.self, domain: Domains.internal),
        .op("SiblingConvs", 1...1, SiblingConvs.self, domain: Domains.internal),
        .unary("Silu", from: 1, .silu, domain: Domains.internal),
        .floating("SumLike", 1...1, LikeOperator.self, domain: Domains.internal),
        .floating("ZerosLike", 1...1, LikeOperator.self, domain: Domains.internal),
    ]

    private static let index: [String: [OperatorEntry]] = Dictionary(grouping: entries) {
        $0.domain + "\u{0}" + $0.name
    }

    package static func entry(domain: String, name: String, opset: Int) -> OperatorEntry? {
        index[domain + "\u{0}" + name]?.first { $0.versions.contains(opset) }
    }

    /// - Throws: `unsupported` for an operator that is not in the table, and what its `init` finds wrong.
    package static func makeOperator(for node: Node, opset: Int) throws(SardonyxError) -> any Operator {
        guard let entry = entry(domain: node.domain, name: node.opType, opset: opset) else {
            throw SardonyxError(
                .unsupported, node.label, "operator", got: "\(node.opType) of opset \(opset)",
                allowed: nearestNames(to: node.opType).joined(separator: ", "))
        }
        return try entry.make(NodeReader(node, opset: opset))
    }

    /// What an operator infers, once the element type of input 0 is one that the table says it takes.
    package static func inferred(
        _ op: any Operator, _ context: InferContext
    ) throws(SardonyxError) -> [Inferred] {
        let entry = entry(domain: context.node.domain, name: context.node.opType, opset: context.opset)
        if let types = entry?.elementTypes, let given = context.inputs.first??.type.dtype, !types.contains(given) {
            throw context.error(
                .unsupported, "input 0: element type", got: "\(given)",
                allowed: types.map(\.description).joined(separator: ", "))
        }
        return try op.infer(context)
    }

    /// Names in the table that a user may have meant, nearest first.
    package static func nearestNames(to name: String) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        let ranked = Set(entries.map(\.name)).map {
            (name: $0, distance: editDistance(wanted, Array($0.lowercased().utf8)))
        }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for (row, x) in a.prefix(64).enumerated() {
            var current = [row + 1]
            for (column, y) in b.enumerated() {
                current.append(min(previous[column] + (x == y ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[b.count]
    }
}
