import CKernels
import GraphIR
import TensorCore

/// Lets an operator that computes in float32 serve float16 and bfloat16 too: converts such inputs in scratch memory,
/// runs the operator, and rounds its results to nearest even. With other element types it only passes through.
struct HalfPrecision: Operator {
    private var base: any Operator
    /// Where converted inputs and outputs lie in scratch, behind the operator's own; `nil`: not converted.
    private var inputOffsets: [Int?] = []
    private var outputOffsets: [Int?] = []
    private var baseScratch = 0
    private(set) var scratchByteCount = 0

    init(_ base: any Operator) { self.base = base }

    init(_ node: NodeReader) throws(SardonyxError) {
        throw node.error(.internal, "half precision needs an operator to serve")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] { try base.infer(context) }

    private static func isHalf(_ dtype: DType?) -> Bool { dtype == .float16 || dtype == .bfloat16 }
    private var converts: Bool { !inputOffsets.isEmpty }

    private static func widened(_ info: TensorInfo?) -> TensorInfo? {
        guard let info, isHalf(info.dtype) else { return info }
        return TensorInfo(dtype: .float32, shape: info.shape)
    }

    /// The same constant in float32, converted when it is asked for.
    private static func widened(_ constant: Constant?) -> Constant? {
        guard let constant, isHalf(constant.dtype), let from = constant.dtype.kernelType else { return constant }
        return Constant(dtype: .float32, shape: constant.shape) { () throws(SardonyxError) in
            let tensor = try constant.tensor()
            return try Tensor(dtype: .float32, shape: tensor.shape) { (memory) throws(SardonyxError) in
                sx_cast(from, SX_TYPE_FLOAT32, tensor.pointer, memory, Int64(tensor.shape.elementCount), 1)
            }
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        guard (context.inputs + context.outputs).contains(where: { HalfPrecision.isHalf($0?.dtype) }) else {
            try base.prepare(context)
            scratchByteCount = base.scratchByteCount
            return
        }
        // Widened constants are new ones in every plan, so what is packed from them must not outlive the plan.
        var wide = PrepareContext(
            node: context.node, inputs: context.inputs.map(HalfPrecision.widened),
            outputs: context.outputs.map(HalfPrecision.widened),
            constants: context.constants.map(HalfPrecision.widened),
            threads: context.threads,
            weights: WeightCache(allowsWinograd: context.weights.allowsWinograd), budget: context.budget,
            interruption: context.interruption, subgraphs: context.subgraphs)
        wide.widenedFrom = context.inputs.lazy.compactMap { $0?.dtype }.first(where: HalfPrecision.isHalf)
        try base.prepare(wide)
        baseScratch = base.scratchByteCount
        var end = baseScratch
        func place(_ info: TensorInfo?) throws(SardonyxError) -> Int? {
            guard let info, HalfPrecision.isHalf(info.dtype) else { return nil }
            guard let start = CheckedSize.roundUp(end, to: 64),
                let next = CheckedSize.sum(start, info.shape.elementCount * 4)
            else { throw SardonyxError(.limit, context.node.label, "converted tensors overflow") }
            end = next
            return start
        }
        inputOffsets = []
        outputOffsets = []
        for info in context.inputs { inputOffsets.append(try place(info)) }
        for info in context.outputs { outputOffsets.append(try place(info)) }
        scratchByteCount = end
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard converts, let scratch = context.scratch else { return try base.run(context) }
        let threads = Int32(context.threads)
        func widened(_ view: TensorView?, _ offset: Int?) -> TensorView? {
            guard let view, let offset else { return view }
            return TensorView(dtype: .float32, shape: view.shape, pointer: scratch + offset)
        }
        let inputs = zip(context.inputs, inputOffsets).map(widened)
        let outputs = zip(context.outputs, outputOffsets).map(widened)
        for (view, wide) in zip(context.inputs, inputs) {
            guard let view, let wide, view.dtype != wide.dtype, let from = view.dtype.kernelType else { continue }
            sx_cast(from, SX_TYPE_FLOAT32, view.pointer, wide.pointer, Int64(view.elementCount), threads)
        }
        let inner = RunContext(
            label: context.label, inputs: inputs, outputs: outputs, scratch: scratch, threads: context.threads,
            interruption: context.interruption, budget: context.budget)
        try base.run(inner)
        let half = context.inputs.compactMap { $0?.dtype }.first { HalfPrecision.isHalf($0) }
        for (index, made) in inner.made.enumerated() {
            guard let made = made?.tensor else { continue }
            // A shape that depended on data: the operator allocated the output, in float32 where it is to be half.
            let dtype = made.dtype == .float32 ? half ?? .float32 : made.dtype
            let view = try context.allocate(index, dtype: dtype, shape: made.shape)
            if dtype == made.dtype { try TensorView(reading: made).copyElements(to: view, threads: context.threads) }
        }
        for (view, wide) in zip(context.outputs, inner.outputs) {
            guard let view, let wide, view.dtype != wide.dtype, let to = view.dtype.kernelType else { continue }
            sx_cast(SX_TYPE_FLOAT32, to, wide.pointer, view.pointer, Int64(view.elementCount), threads)
        }
        withExtendedLifetime(inner) {}
    }

    var preparedInputs: [Int] { base.preparedInputs }
    var algorithm: String { base.algorithm }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation {
        base.memoryRelation(inputs, outputs)
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        base.canOverwrite(input: input, inputs, outputs)
    }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        base.preferredLayouts(inputs, outputs)
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        base.multiplyAccumulates(inputs, outputs)
    }

    func executedMultiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        base.executedMultiplyAccumulates(inputs, outputs)
    }
}

extension OperatorEntry {
    /// An operator with a type of its own whose float16 and bfloat16 forms are computed in float32.
    static func floating<Op: Operator>(
        _ name: String, _ versions: ClosedRange<Int>, _ type: Op.Type, domain: String = Domains.onnx
    ) -> OperatorEntry {
        row(name, versions, Op.self, domain: domain) { (node) throws(SardonyxError) in HalfPrecision(try Op(node)) }
    }
}

extension DType {
    /// The kernels' name of this element type; `nil` when `sx_cast` does not know it.
    var kernelType: sx_type? {
        switch self {
        case .float32: SX_TYPE_FLOAT32
        case .float64: SX_TYPE_FLOAT64
        case .float16: SX_TYPE_FLOAT16
        case .bfloat16: SX_TYPE_BFLOAT16
        case .int8: SX_TYPE_INT8
        case .int16: SX_TYPE_INT16
        case .int32: SX_TYPE_INT32
        case .int64: SX_TYPE_INT64
        case .uint8: SX_TYPE_UINT8
        case .uint16: SX_TYPE_UINT16
        case .uint32: SX_TYPE_UINT32
        case .uint64: SX_TYPE_UINT64
        case .bool: SX_TYPE_BOOL
        default: nil
        }
    }
}
