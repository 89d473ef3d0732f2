import GraphIR
import TensorCore

/// ONNX Slice (1-13): from `start` to before `end` in steps, on some axes; bounds past the ends are clamped.
struct Slice: CopyingOperator {
    private struct Bounds {
        var axes: [Int]?
        var starts: [Int]
        var ends: [Int]
        var steps: [Int]?
    }
    /// The elements taken of one axis.
    struct Range {
        var start: Int
        var step: Int
        var count: Int
    }
    private let attributes: Bounds?
    var plan: CopyPlan?
    var parameterInputs: [Int] { attributes == nil ? [1, 2, 3, 4] : [] }

    init(_ node: NodeReader) throws(SardonyxError) {
        guard node.opset < 10 else {
            attributes = nil
            return
        }
        attributes = Bounds(
            axes: try node.ints("axes"), starts: try node.required("starts", try node.ints("starts")),
            ends: try node.required("ends", try node.ints("ends")))
    }

    /// The elements that `start`, `end` and `step` (not 0) take of an axis.
    static func range(_ start: Int, _ end: Int, _ step: Int, of extent: Int) -> Range {
        func clamp(_ index: Int, _ low: Int, _ high: Int) -> Int {
            let counted = index >= 0 ? index : index < -extent ? -1 : index + extent
            return min(max(counted, low), high)
        }
        let first: Int
        let distance: Int
        if step > 0 {
            first = clamp(start, 0, extent)
            distance = clamp(end, 0, extent) - first
        } else {
            first = clamp(start, extent == 0 ? -1 : 0, extent - 1)
            distance = first - clamp(end, -1, extent - 1)
        }
        let count = distance <= 0 ? 0 : Int((UInt(distance) - 1) / step.magnitude) + 1
        return Range(start: max(first, 0), step: count > 1 ? step : 1, count: count)
    }

    /// For each axis its start, end and step, or `nil` when it is taken whole.
    private func resolve(
        _ bounds: Bounds, rank: Int, at place: some NodePlace
    ) throws(SardonyxError) -> [(start: Int, end: Int, step: Int)?] {
        let count = bounds.starts.count
        guard bounds.ends.count == count, (bounds.axes?.count ?? count) == count,
            (bounds.steps?.count ?? count) == count,
            count <= rank
        else {
            throw place.error(
                .shape, "starts, ends, axes and steps",
                got:
                    "\(count), \(bounds.ends.count), \(bounds.axes?.count ?? count), \(bounds.steps?.count ?? count) elements",
                allowed: "equal numbers up to rank \(rank)", hint: nil)
        }
        let axes = try place.axes(bounds.axes ?? Array(0..<count), rank: rank)
        var result = [(start: Int, end: Int, step: Int)?](repeating: nil, count: rank)
        for (index, axis) in axes.enumerated() {
            let step = bounds.steps?[index] ?? 1
            guard step != 0 else {
                throw place.error(.shape, "steps: step of axis \(axis)", got: "0", allowed: "not 0", hint: nil)
            }
            result[axis] = (bounds.starts[index], bounds.ends[index], step)
        }
        return result
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard var output = try context.shape(0) else { return [Inferred(dtype, nil)] }
        var bounds = attributes
        if bounds == nil, let starts = try context.integers(1), let ends = try context.integers(2) {
            bounds = Bounds(axes: try context.integers(3), starts: starts, ends: ends, steps: try context.integers(4))
            if context.hasInput(3) && bounds?.axes == nil || context.hasInput(4) && bounds?.steps == nil {
                bounds = nil
            }
        }
        guard let bounds else {
            let axes = context.hasInput(3) ? try context.integers(3) : try context.length(1).map { Array(0..<$0) }
            let touched = try axes.map { (axes) throws(SardonyxError) in try context.axes(axes, rank: output.rank) }
            for axis in output.dims.indices where touched?.contains(axis) ?? true { output.dims[axis] = .unknown }
            return [Inferred(dtype, output)]
        }
        var content = try context.content(0)
        for (axis, cut) in try resolve(bounds, rank: output.rank, at: context).enumerated() {
            guard let cut else { continue }
            if let extent = output.dims[axis].value {
                let range = Slice.range(cut.start, cut.end, cut.step, of: extent)
                output.dims[axis] = .known(range.count)
                content = content.flatMap { all in
                    all.count == extent ? (0..<range.count).map { all[range.start + $0 * range.step] } : nil
                }
            } else if !(cut.start == 0 && cut.step == 1 && cut.end >= Int(Int32.max)) {
                output.dims[axis] = .unknown
                content = nil
            }
        }
        return [Inferred.following(dtype, output, content)]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> CopyPlan {
        let input = try operands.operand(0).shape
        let bounds: Bounds
        if let attributes {
            bounds = attributes
        } else {
            bounds = Bounds(
                axes: try operands.integers(3), starts: try operands.integers(1) ?? [],
                ends: try operands.integers(2) ?? [],
                steps: try operands.integers(4))
        }
        var dims = input.dims
        var strides = input.strides
        var offset = 0
        for (axis, cut) in try resolve(bounds, rank: input.rank, at: operands).enumerated() {
            guard let cut else { continue }
            let range = Slice.range(cut.start, cut.end, cut.step, of: input[axis])
            dims[axis] = range.count
            offset += range.start * strides[axis]
            strides[axis] *= range.step
        }
        let output = try operands.shape(of: dims)
        var plan = CopyPlan([output])
        plan.add(
            StridedCopy(dims: dims, sourceStrides: strides, sourceOffset: offset, destinationStrides: output.strides))
        return plan
    }
}
