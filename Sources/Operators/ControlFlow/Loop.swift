import GraphIR
import TensorCore

/// ONNX Loop (1-25): runs a graph until its condition is false or a number of trips is made.
///
/// Inputs: trip count, condition, loop-carried values, captured values; the body takes the iteration number and the
/// condition in place of the first two. Outputs: the carried values, then what the body makes of every iteration, end to
/// end along a new first axis.
struct Loop: Operator {
    private var body: Subgraph
    private let carriedCount: Int
    private let capturedInputs: Range<Int>
    private let wanted: [Bool]
    private let hasTripCount: Bool
    private let hasCondition: Bool
    /// Old models give the iteration number and the condition an axis of extent 1.
    private let iterationDims: [Int]
    private let conditionDims: [Int]

    init(_ node: NodeReader) throws(SardonyxError) {
        body = try Subgraph(node, "body")
        // Optional inputs at the end may be left out.
        let ownInputs = max(node.inputCount - node.node.captureCount, 0)
        carriedCount = max(ownInputs - 2, 0)
        capturedInputs = ownInputs..<max(node.inputCount, ownInputs)
        wanted = (0..<node.outputCount).map(node.hasOutput)
        hasTripCount = ownInputs > 0 && node.hasInput(0)
        hasCondition = ownInputs > 1 && node.hasInput(1)
        try body.requireSignature(inputs: 2 + carriedCount, outputs: max(1 + carriedCount, 1 + wanted.count), at: node)
        let graph = body.graph
        func dims(_ input: Int) -> [Int] { graph[graph.inputs[input]].type?.shape?.rank == 1 ? [1] : [] }
        iterationDims = dims(0)
        conditionDims = dims(1)
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    private var carriedInputs: Range<Int> { 2..<2 + carriedCount }

    private func condition() throws(SardonyxError) -> Tensor { try Tensor([true], dims: conditionDims) }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        if hasTripCount { try context.requireDType(0, [.int64, .int32], "trip count") }
        if hasCondition { try context.requireDType(1, [.bool], "condition") }
        var initial: [Inferred] = []
        for index in carriedInputs { initial.append(try context.input(index)) }
        let iteration = Inferred(.int64, SymbolicShape(iterationDims.map(Dim.known)))
        // The body runs only while the condition is true.
        let condition = Inferred(Constant(try condition()))
        let invariant = try body.invariant(
            of: initial, before: [iteration, condition], after: try context.captured(), offset: 1, context)
        let trips = try tripCount(invariant.outputs[0], context)
        var outputs: [Inferred] = []
        for index in wanted.indices {
            guard index >= carriedCount else {
                outputs.append(Inferred(invariant.state[index]))
                continue
            }
            guard case .tensor(let dtype, let shape) = invariant.outputs[1 + index].type else {
                throw context.error(
                    .graph, "scan output \(index - carriedCount)", got: "\(invariant.outputs[1 + index].type)",
                    allowed: "a tensor")
            }
            outputs.append(Inferred(dtype, shape.map { SymbolicShape([trips] + $0.dims) }))
        }
        return outputs
    }

    /// Known when a constant says it and no condition can end the loop before.
    private func tripCount(_ next: Inferred, _ context: InferContext) throws(SardonyxError) -> Dim {
        func isTrue(_ constant: Constant?) throws(SardonyxError) -> Bool {
            guard let tensor = try constant?.tensor(), tensor.dtype == .bool, tensor.shape.elementCount == 1 else {
                return false
            }
            return tensor.elements(of: UInt8.self)[0] != 0
        }
        guard hasTripCount, let counts = try context.integers(0), counts.count == 1 else { return .unknown }
        if hasCondition {
            guard try isTrue(context.inputs[1]?.constant), try isTrue(next.constant) else { return .unknown }
        }
        return .known(max(counts[0], 0))
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let leading: [ValueType] = [.tensor(.int64, nil), .tensor(.bool, nil)]
        try body.prepare(
            leading + (try context.types(carriedInputs)) + (try context.types(capturedInputs)), context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let limit = hasTripCount ? try context.integer(0) : nil
        var goesOn = hasCondition ? try context.condition(try context.value(1), "condition") : true
        var state = try context.values(carriedInputs)
        let captured = try context.values(capturedInputs)
        var rows = [RowCollector](
            repeating: RowCollector(atMost: limit), count: body.graph.outputs.count - 1 - carriedCount)
        var iteration = 0
        let isTrue = RuntimeValue.tensor(try condition())
        while goesOn, iteration < limit ?? .max {
            try context.interruption?.check()
            let number = RuntimeValue.tensor(try Tensor([Int64(iteration)], dims: iterationDims))
            let outputs = try body.run([number, isTrue] + state + captured, context)
            if hasCondition { goesOn = try context.condition(outputs[0], "condition made by the body") }
            for index in state.indices { state[index] = outputs[1 + index] }
            for index in rows.indices where isWanted(carriedCount + index) {
                try rows[index].append(outputs[1 + carriedCount + index], "scan output \(index)", context)
            }
            iteration += 1
        }
        let empty: [ValueType] =
            iteration == 0 && wanted.count > carriedCount
            ? try body.outputTypes(
                [.tensor(.int64, SymbolicShape(iterationDims.map(Dim.known))), isTrue.type]
                    + state.map(\.type), captured: captured, context) : []
        for index in wanted.indices where wanted[index] {
            let value =
                index < carriedCount
                ? state[index]
                : .tensor(
                    try rows[index - carriedCount].tensor(
                        rowType: iteration == 0 ? empty[1 + index] : nil, context))
            try context.setOutput(index, value)
        }
    }

    private func isWanted(_ output: Int) -> Bool { output < wanted.count && wanted[output] }
}
