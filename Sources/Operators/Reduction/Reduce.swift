import CKernels
import GraphIR
import TensorCore

/// ONNX ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare, ReduceLogSum
/// and ReduceLogSumExp. Axes are an attribute, or input 1 from opset 13 (ReduceSum) or 18 (the others).
struct Reduce: Operator {
    let reduction: Reduction
    private let axesFromInput: Bool
    private let attributeAxes: [Int]?
    private let keepsDims: Bool
    private let noopWithEmptyAxes: Bool
    private var steps: [Step] = []
    private var intermediateCount = 0
    private(set) var preparedInputs: [Int] = []

    /// One pass over a run of neighbouring axes.
    private struct Step: Sendable {
        var reduction: Reduction
        var outer: Int
        var axis: Int
        var inner: Int
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
        var dims: [Dim] = []
        for (axis, dim) in x.dims.enumerated() {
            if !reduced[axis] { dims.append(dim) } else if keepsDims { dims.append(.known(1)) }
        }
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0).shape
        var axes = attributeAxes
        if axesFromInput, context.hasInput(1) {
            if let constant = context.constant(1) {
                axes = try constant.tensor().integers()
                preparedInputs = [1]
            } else if keepsDims {
                // Known from the shapes alone only when nothing is ambiguous: extents of 1 reduce to themselves.
                axes = zip(x.dims, try context.output(0).shape.dims).enumerated().compactMap { $1.0 != $1.1 ? $0 : nil }
                guard !(axes ?? []).isEmpty else { throw context.error(.unsupported, "axes that are not constant") }
            } else {
                throw context.error(.unsupported, "axes that are not constant")
            }
        }
        let reduced = try reduced(axes, rank: x.rank, at: context)
        makeSteps(x.dims, reduced)
    }

    /// Runs of reduced axes from the innermost outwards; each leaves an extent of 1 behind.
    private mutating func makeSteps(_ dims: [Int], _ reduced: [Bool]) {
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
        steps = []
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
        intermediateCount = steps.dropLast().map { $0.outer * $0.inner }.max() ?? 0
    }

    private var middle: Reduction { reduction == .logSum ? .sum : reduction.stages.then }

    /// Two buffers for what the passes hand on, sized for the widest element type.
    var scratchByteCount: Int { intermediateCount * 8 * (steps.count > 2 ? 2 : 1) }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard y.elementCount > 0 else { return }
        var source = x.pointer
        for (index, step) in steps.enumerated() {
            var target = y.pointer
            if index + 1 < steps.count, let scratch = context.scratch {
                target = scratch + (index % 2) * intermediateCount * 8
            }
            if x.dtype == .float32 {
                sx_reduce(
                    step.reduction.kernel, source.assumingMemoryBound(to: Float.self),
                    target.assumingMemoryBound(to: Float.self), Int64(step.outer), Int64(step.axis), Int64(step.inner),
                    Int32(context.threads))
            } else {
                let pass = Pass(step: step, source: source, target: target)
                try context.placing { () throws(SardonyxError) in try withNumber(x.dtype, pass) }
            }
            source = target
        }
    }

    private struct Pass: NumberBody {
        let step: Step
        let source, target: UnsafeMutableRawPointer

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            step.reduction(
                source.assumingMemoryBound(to: T.self), target.assumingMemoryBound(to: T.self), outer: step.outer,
                axis: step.axis, inner: step.inner)
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
