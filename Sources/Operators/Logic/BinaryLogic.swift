import GraphIR
import TensorCore

/// Two broadcast inputs to one output, element by element: the comparisons, And, Or, Xor, the bitwise operators and
/// BitShift, each a row with its element function.
protocol BinaryLogic: PlannedOperator where Plan == BroadcastWalk {
    var legacy: LegacyBroadcast? { get }
    /// Whether the element function takes input 1 first.
    var isExchanged: Bool { get }
    /// The element type of the output for an input's.
    func outputType(_ input: DType) -> DType
    func compute(
        _ walk: BroadcastWalk, _ a: TensorView, _ b: TensorView, to output: TensorView, _ context: RunContext
    ) throws(SardonyxError)
    /// The element for two followed extents; `nil` when it cannot be said.
    func follow(_ a: Dim, _ b: Dim) -> Dim?
}

extension BinaryLogic {
    var isExchanged: Bool { false }
    func follow(_ a: Dim, _ b: Dim) -> Dim? { nil }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(1, [dtype], "input 1")
        let a = try context.shape(0)
        var b = try context.shape(1)
        if let legacy, let first = a, let second = b {
            b = SymbolicShape(try legacy.aligned(second.dims, to: first.dims, at: context))
        }
        let shape = try Broadcast.shape([a, b], at: context)
        var content: [Dim]?
        if let x = try context.content(0), let y = try context.content(1),
            x.count == y.count || x.count == 1 || y.count == 1
        {
            let pairs = (0..<(x.count == 1 ? y.count : x.count)).map {
                follow(x[x.count == 1 ? 0 : $0], y[y.count == 1 ? 0 : $0])
            }
            content = pairs.contains { $0 == nil } ? nil : pairs.compactMap { $0 }
        }
        return [Inferred.following(outputType(dtype), shape, content)]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> BroadcastWalk {
        let a = try operands.operand(0).shape
        var b = try operands.operand(1).shape
        if let legacy {
            b = try operands.shape(
                of: try legacy.aligned(b.dims.map(Dim.known), to: a.dims.map(Dim.known), at: operands).compactMap(
                    \.value))
        }
        return try BroadcastWalk(isExchanged ? [b, a] : [a, b], at: operands)
    }

    func run(_ plan: BroadcastWalk, _ context: RunContext) throws(SardonyxError) {
        let a = try context.input(0)
        let output = try context.output(0, dtype: outputType(a.dtype), shape: plan.output)
        let b = try context.input(1)
        try context.placing { () throws(SardonyxError) in
            try compute(plan, isExchanged ? b : a, isExchanged ? a : b, to: output, context)
        }
    }
}
