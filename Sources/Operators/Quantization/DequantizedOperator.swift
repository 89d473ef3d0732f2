import GraphIR
import TensorCore

/// Where an operator on quantized tensors has the operands of the floating-point operator that it stands for.
struct DequantizedForm: Sendable {
    enum Operand: Sendable {
        /// An input with its scale and zero point.
        case quantized(Int, scale: Int, zero: Int)
        /// One that is taken as it is.
        case plain(Int)
    }
    let operands: [Operand]
    let scale: Int
    let zero: Int

    static let unary = DequantizedForm(operands: [.quantized(0, scale: 1, zero: 2)], scale: 3, zero: 4)
    static let binary = DequantizedForm(
        operands: [.quantized(0, scale: 1, zero: 2), .quantized(3, scale: 4, zero: 5)], scale: 6, zero: 7)
    /// The same places as QLinearMatMul has.
    static let matMul = binary
    static let choice = DequantizedForm(
        operands: [.plain(0), .quantized(1, scale: 2, zero: 3), .quantized(4, scale: 5, zero: 6)], scale: 7, zero: 8)

    /// QLinearConcat: scale and zero point of y, then those of each input behind it.
    static func joining(_ count: Int) -> DequantizedForm {
        DequantizedForm(
            operands: (0..<count).map { .quantized(2 + 3 * $0, scale: 3 + 3 * $0, zero: 4 + 3 * $0) }, scale: 0, zero: 1
        )
    }
}

/// Lets a floating-point operator serve quantized tensors: y = quantize(f(dequantize(x)…)). Scales and zero points have
/// one element; x and y are dequantized and quantized in scratch memory by DequantizeLinear and QuantizeLinear.
///
/// com.microsoft QLinearAdd, QLinearAveragePool, QLinearConcat, QLinearGlobalAveragePool, QLinearLeakyRelu, QLinearMul,
/// QLinearReduceMean, QLinearSigmoid, QLinearSoftmax and QLinearWhere, and float8 forms of QLinearMatMul.
struct DequantizedOperator: Operator {
    static let elementTypes: [DType] = DType.bytes
    private let form: DequantizedForm
    private var base: any Operator
    private let node: Node
    private let opset: Int
    private var readers: [DequantizeLinear?] = []
    private var writer: QuantizeLinear
    private var operandOffsets: [Int] = []
    private var resultOffset = 0
    private var converterOffset = 0
    private var regions = ScratchRegions()

    /// - Parameters:
    ///   - name: the operator of the standard, in version `opset`.
    init(_ name: String, opset: Int, _ form: DequantizedForm, _ reader: NodeReader) throws(SardonyxError) {
        self.form = form
        self.opset = opset
        var node = reader.node
        (node.domain, node.opType) = (Domains.onnx, name)
        node.inputs = form.operands.map { operand in
            let index =
                switch operand {
                case .quantized(let index, _, _), .plain(let index): index
                }
            return index < reader.node.inputs.count ? reader.node.inputs[index] : nil
        }
        self.node = node
        base = try OperatorTable.makeOperator(for: node, opset: opset)
        node.attributes = [:]
        let converter = NodeReader(node, opset: opset)
        writer = try QuantizeLinear(converter)
        for operand in form.operands {
            if case .quantized = operand {
                readers.append(try DequantizeLinear(converter))
            } else {
                readers.append(nil)
            }
        }
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        throw node.error(.internal, "a dequantized operator needs to know the operator it stands for")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        var inputs: [Inferred?] = []
        var dtype: DType?
        for operand in form.operands {
            switch operand {
            case .plain(let index): inputs.append(try context.input(index))
            case .quantized(let index, let scale, let zero):
                try context.requireDType(index, DType.bytes + DType.float8, "input \(index)")
                try requireParameters(scale, zero, of: try context.dtype(index), context)
                if dtype == nil { dtype = try context.dtype(index) }
                inputs.append(Inferred(.float32, try context.shape(index)))
            }
        }
        let own = context.hasInput(form.zero) ? try context.dtype(form.zero) : dtype ?? .uint8
        guard DType.bytes.contains(own) || DType.float8.contains(own) else {
            throw context.error(.unsupported, "zero point", got: "\(own)", allowed: "int8, uint8 or a float8 type")
        }
        try requireParameters(form.scale, form.zero, of: own, context)
        let outputs = try base.infer(InferContext(node: node, opset: opset, inputs: inputs))
        return outputs.map { Inferred(own, $0.type.shape) }
    }

    private func requireParameters(
        _ scale: Int, _ zero: Int, of dtype: DType, _ context: InferContext
    ) throws(SardonyxError) {
        try context.requireDType(scale, [.float32, .float16, .bfloat16], "scale")
        if context.hasInput(zero) { try context.requireDType(zero, [dtype], "zero point") }
        for index in [scale, zero] where context.hasInput(index) {
            guard let dims = try context.shape(index)?.knownDims else { continue }
            guard CheckedSize.product(dims) == 1 else {
                throw context.error(.shape, "input \(index)", got: "\(dims)", allowed: "1 element")
            }
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let y = try context.output(0)
        var infos: [TensorInfo?] = []
        for operand in form.operands {
            switch operand {
            case .plain(let index): infos.append(try context.input(index))
            case .quantized(let index, _, _):
                infos.append(TensorInfo(dtype: .float32, shape: try context.input(index).shape))
            }
        }
        let result = TensorInfo(dtype: .float32, shape: y.shape)
        // Nothing of dequantized constants is packed: every run makes new ones.
        try base.prepare(
            PrepareContext(
                node: node, inputs: infos, outputs: [result], constants: [], threads: context.threads,
                weights: context.weights, budget: context.budget, interruption: context.interruption))
        regions = ScratchRegions()
        _ = try regions.add(base.scratchByteCount, at: context)
        var converterBytes = 0
        operandOffsets = []
        for (index, operand) in form.operands.enumerated() {
            guard case .quantized(let x, let scale, let zero) = operand, let info = infos[index] else {
                operandOffsets.append(0)
                continue
            }
            operandOffsets.append(try regions.add(CheckedSize.product(info.shape.elementCount, 4), at: context))
            let inputs = [try context.input(x), try parameter(scale, context), try parameter(zero, context)]
            guard var reader = readers[index] else { continue }
            try reader.prepare(converterContext(inputs, info, context))
            converterBytes = max(converterBytes, reader.scratchByteCount)
            readers[index] = reader
        }
        resultOffset = try regions.add(CheckedSize.product(y.shape.elementCount, 4), at: context)
        let inputs = [result, try parameter(form.scale, context), try parameter(form.zero, context)]
        try writer.prepare(converterContext(inputs, y, context))
        converterOffset = try regions.add(max(converterBytes, writer.scratchByteCount), at: context)
    }

    /// A scale or zero point; `nil` when it is absent.
    /// - Throws: `shape` unless it has one element.
    private func parameter(_ index: Int, _ context: PrepareContext) throws(SardonyxError) -> TensorInfo? {
        guard context.hasInput(index) else { return nil }
        let info = try context.input(index)
        guard info.shape.elementCount == 1 else {
            throw context.error(.shape, "input \(index)", got: "\(info.shape)", allowed: "1 element")
        }
        return info
    }

    private func converterContext(
        _ inputs: [TensorInfo?], _ output: TensorInfo, _ context: PrepareContext
    ) -> PrepareContext {
        PrepareContext(
            node: context.node, inputs: inputs, outputs: [output], constants: [], threads: context.threads,
            weights: context.weights, budget: context.budget, interruption: context.interruption)
    }

    var scratchByteCount: Int { regions.byteCount }

    func run(_ context: RunContext) throws(SardonyxError) {
        let y = try context.output(0)
        guard let scratch = context.scratch, y.elementCount > 0 else { return }
        func inner(
            _ inputs: [TensorView?], _ output: TensorView, scratch: UnsafeMutableRawPointer
        ) -> RunContext {
            RunContext(
                label: context.label, inputs: inputs, outputs: [output], scratch: scratch, threads: context.threads,
                interruption: context.interruption, budget: context.budget)
        }
        func optional(_ index: Int) throws(SardonyxError) -> TensorView? {
            context.hasInput(index) ? try context.input(index) : nil
        }
        var operands: [TensorView?] = []
        for (index, operand) in form.operands.enumerated() {
            switch operand {
            case .plain(let x): operands.append(try context.input(x))
            case .quantized(let x, let scale, let zero):
                let source = try context.input(x)
                let target = TensorView(
                    dtype: .float32, shape: source.shape, pointer: scratch + operandOffsets[index])
                let inputs = [source, try context.input(scale), try optional(zero)]
                try readers[index]?.run(inner(inputs, target, scratch: scratch + converterOffset))
                operands.append(target)
            }
        }
        let result = TensorView(dtype: .float32, shape: y.shape, pointer: scratch + resultOffset)
        try base.run(inner(operands, result, scratch: scratch))
        let inputs = [result, try context.input(form.scale), try optional(form.zero)]
        try writer.run(inner(inputs, y, scratch: scratch + converterOffset))
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        base.multiplyAccumulates(inputs, outputs)
    }
}

extension OperatorEntry {
    /// An operator of com.microsoft that dequantizes, does what one of the standard does, and quantizes.
    static func dequantized(
        _ name: String, as base: String, opset: Int, _ form: DequantizedForm
    ) -> OperatorEntry {
        // The condition of QLinearWhere is no number.
        let types = base == "Where" ? [.bool] : DequantizedOperator.elementTypes
        return row(name, 1...1, DequantizedOperator.self, domain: Domains.microsoft, types: types) {
            (node) throws(SardonyxError) in
            guard try !node.bool("channels_last", default: false) else {
                throw node.error(.unsupported, "attribute channels_last", got: "1", allowed: "0")
            }
            return try DequantizedOperator(base, opset: opset, form, node)
        }
    }
}
