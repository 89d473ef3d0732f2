import CKernels
import GraphIR
import TensorCore

/// ONNX ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare, ReduceLogSum
/// and ReduceLogSumExp. Axes are an attribute, or input 1 from opset 13 (ReduceSum) or 18 (the others).
struct Reduce: PlannedOperator {
    let reduction: Reduction
    private let axesFromInput: Bool
    private let attributeAxes: [Int]?
    private let keepsDims: Bool
    private let noopWithEmptyAxes: Bool
    var plan: Plan?
    var parameterInputs: [Int] { axesFromInput ? [1] : [] }

    /// One pass over a run of neighbouring axes.
    struct Step: Sendable {
        var reduction: Reduction
        var outer: Int
        var axis: Int
        var inner: Int
    }

    /// Passes one after the other, from the innermost axes outwards.
    struct Plan: Sendable {
        let output: Shape
        var steps: [Step] = []
        /// Elements of the largest tensor between two passes.
        var intermediateCount: Int { steps.dropLast().map { $0.outer * $0.inner }.max() ?? 0 }
        /// Two buffers for what the passes hand on, sized for the widest element type.
        var scratchByteCount: Int { intermediateCount * 8 * (steps.count > 2 ? 2 : 1) }
    }

    init(_ reduction: Reduction, _ node: NodeReader) throws(SardonyxError) {
        self.reduction = reduction
        axesFromInput = node.opset >= (reduction == .sum ? 13 : 18)
        attributeAxes = axesFromInput ? nil : try node.ints("axes")
        keepsDims = try node.bool("keepdims", default: true)
        noopWithEmptyAxes = axesFromInput ? try node.bool("noop_with_empty_axes", default: false) : false
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        throw node.error(.internal, "a reduction needs its function")
    }

    /// Which axes are reduced.
    private func reduced(_ axes: [Int]?, rank: Int, at place: some NodePlace) throws(SardonyxError) -> [Bool] {
        guard let axes, !axes.isEmpty else { return [Bool](repeating: !noopWithEmptyAxes, count: rank) }
        var result = [Bool](repeating: false, count: rank)
        for axis in try place.axes(axes, rank: rank) { result[axis] = true }
        return result
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard let x = try context.shape(0) else { return [Inferred(dtype, nil)] }
        var axes = attributeAxes
        if axesFromInput, context.hasInput(1) {
            try context.requireDType(1, [.int64], "axes")
            guard let given = try context.integers(1) else {
                return [Inferred(dtype, keepsDims ? SymbolicShape([Dim](repeating: .unknown, count: x.rank)) : nil)]
            }
            axes = given
        }
        let reduced = try reduced(axes, rank: x.rank, at: context)
        let dims = kept(x.dims, one: .known(1), reduced: reduced)
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    private func kept<Extent>(_ dims: [Extent], one: Extent, reduced: [Bool]) -> [Extent] {
        zip(dims, reduced).compactMap { dim, isReduced in isReduced ? (keepsDims ? one : nil) : dim }
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Plan {
        let dims = try operands.operand(0).shape.dims
        let axes = axesFromInput ? try operands.integers(1) : attributeAxes
        let reduced = try reduced(axes, rank: dims.count, at: operands)
        return Plan(
            output: try operands.shape(of: kept(dims, one: 1, reduced: reduced)), steps: steps(dims, reduced))
    }

    /// Runs of reduced axes from the innermost outwards; each leaves an extent of 1 behind.
    private func steps(_ dims: [Int], _ reduced: [Bool]) -> [Step] {
        var dims = dims
        var runs: [Range<Int>] = []
        for axis in dims.indices where reduced[axis] {
            let touches = runs.last.map { last in dims[last.upperBound..<axis].allSatisfy { $0 == 1 } } ?? false
            if touches, let last = runs.popLast() {
                runs.append(last.lowerBound..<axis + 1)
            } else {
                runs.append(axis..<axis + 1)
            }
        }
        func extent(_ range: Range<Int>) -> Int { dims[range].reduce(1, *) }
        var steps: [Step] = []
        for (index, run) in runs.reversed().enumerated() {
            let isLast = index == runs.count - 1
            let stage =
                runs.count == 1
                ? reduction : index == 0 ? reduction.stages.first : isLast ? reduction.stages.then : middle
            steps.append(
                Step(
                    reduction: stage, outer: extent(0..<run.lowerBound), axis: extent(run),
                    inner: extent(run.upperBound..<dims.count)))
            for axis in run { dims[axis] = 1 }
        }
        if steps.isEmpty { steps = [Step(reduction: reduction, outer: extent(dims.indices), axis: 1, inner: 1)] }
        return steps
    }

    private var middle: Reduction { reduction == .logSum ? .sum : reduction.stages.then }

    var scratchByteCount: Int { plan?.scratchByteCount ?? 0 }

    func run(_ plan: Plan, _ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let y = try context.output(0, dtype: x.dtype, shape: plan.output)
        guard y.elementCount > 0 else { return }
        if self.plan != nil { return try run(plan, x, y, scratch: context.scratch, context) }
        try context.budget.check(plan.scratchByteCount, for: context.label)
        let scratch = try Buffer(byteCount: plan.scratchByteCount)
        try run(plan, x, y, scratch: scratch.pointer, context)
        withExtendedLifetime(scratch) {}
    }

    private func run(
        _ plan: Plan, _ x: TensorView, _ y: TensorView, scratch: UnsafeMutableRawPointer?, _ context: RunContext
    ) throws(SardonyxError) {
        var source = x.pointer
        for (index, step) in plan.steps.enumerated() {
            var target = y.pointer
            if index + 1 < plan.steps.count, let scratch {
                target = scratch + (index % 2) * plan.intermediateCount * 8
            }
            if x.dtype == .float32 {
                sx_reduce(
                    step.reduction.kernel, source.assumingMemoryBound(to: Float.self),
                    target.assumingMemoryBound(to: Float.self), Int64(step.outer), Int64(step.axis), Int64(step.inner),
                    Int32(context.threads))
            } else {
                let pass = Pass(step: step, source: source, target: target, context: context)
                try context.placing { () throws(SardonyxError) in try withNumber(x.dtype, pass) }
            }
            source = target
        }
    }

    private struct Pass: NumberBody {
        let step: Step
        let source, target: UnsafeMutableRawPointer
        let context: RunContext

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            nonisolated(unsafe) let (x, y) = (source, target)
            let step = step
            try context.inParallel(step.outer * step.inner, cost: step.axis) { elements in
                step.reduction(
                    x.assumingMemoryBound(to: T.self), y.assumingMemoryBound(to: T.self), axis: step.axis,
                    inner: step.inner, elements: elements)
            }
        }
    }
}

extension OperatorEntry {
    static func reduction(_ name: String, _ reduction: Reduction) -> OperatorEntry {
        let extremes: [DType] = reduction == .maximum || reduction == .minimum ? [.int8, .uint8, .bool] : []
        let types = DType.wideNumbers + extremes
        return row(name, 1...OperatorTable.newestOpset, Reduce.self, types: types) { (node) throws(SardonyxError) in
            HalfPrecision(try Reduce(reduction, node))
        }
    }
}
