import GraphIR
import TensorCore

/// ONNX Pad (1-25): elements added to (or, by negative pads, taken from) both ends of axes.
struct Pad: PlannedOperator {
    enum Mode: String, CaseIterable {
        case constant, reflect, edge, wrap
    }
    struct Plan: Sendable {
        let output: Shape
        /// The part of the input that lands in the output (mode constant).
        let interior: StridedCopy?
        /// For each axis, the element offset in the input of every index of the output (other modes).
        let offsets: [[Int]]
        /// The longest run of columns that follow each other in the input, copied in one piece (other modes).
        let run: Range<Int>
    }
    private let mode: Mode
    private let attribute: [Int]?
    private let attributeValue: Float
    var plan: Plan?
    var parameterInputs: [Int] { attribute == nil ? [1, 3] : [] }

    init(_ node: NodeReader) throws(SardonyxError) {
        mode = try node.choice("mode", default: .constant)
        let name = node.opset == 1 ? "paddings" : "pads"
        attribute = node.opset < 11 ? try node.required(name, try node.ints(name)) : nil
        attributeValue = try node.float("value", default: 0)
        // The standard has it from 19 on; PyTorch's exporter writes it under 18, its default.
        guard mode != .wrap || node.opset >= 18 else {
            throw node.error(.unsupported, "attribute mode", got: "'wrap'", allowed: "opset 18 or newer")
        }
    }

    private func amounts(
        _ pads: [Int], axes: [Int]?, rank: Int, at place: some NodePlace
    ) throws(SardonyxError) -> [(before: Int, after: Int)] {
        let axes = try place.axes(axes ?? Array(0..<rank), rank: rank)
        guard pads.count == 2 * axes.count else {
            throw place.error(
                .shape, "pads", got: "\(pads.count) elements", allowed: "\(2 * axes.count), two for each axis",
                hint: nil)
        }
        var result = [(before: Int, after: Int)](repeating: (0, 0), count: rank)
        for (index, axis) in axes.enumerated() { result[axis] = (pads[index], pads[index + axes.count]) }
        return result
    }

    private func extent(
        _ extent: Int, _ pad: (before: Int, after: Int), axis: Int, at place: some NodePlace
    ) throws(SardonyxError) -> Int {
        guard let sum = CheckedSize.sum(extent, pad.before, pad.after) else {
            throw place.error(
                .limit, "pads of axis \(axis)", got: "\(pad)", allowed: "at most 2^48 elements", hint: nil)
        }
        guard sum >= 0 else {
            throw place.error(
                .shape, "pads of axis \(axis)", got: "\(pad.before), \(pad.after)",
                allowed: "\(-extent) in all or more", hint: nil)
        }
        guard mode == .constant || sum == 0 || extent > 0 else {
            throw place.error(
                .shape, "axis \(axis) is empty", got: "mode \(mode.rawValue)", allowed: "mode constant", hint: nil)
        }
        guard mode != .reflect || max(pad.before, pad.after) < max(extent, 1) else {
            throw place.error(
                .shape, "pads of axis \(axis) in mode reflect", got: "\(pad.before), \(pad.after)",
                allowed: "at most \(extent - 1), one less than the extent", hint: nil)
        }
        return sum
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard var output = try context.shape(0) else { return [Inferred(dtype, nil)] }
        let axes = context.hasInput(3) ? try context.integers(3) : nil
        let given = try context.integers(1)
        guard let pads = attribute ?? given, !context.hasInput(3) || axes != nil else {
            return [Inferred(dtype, SymbolicShape([Dim](repeating: .unknown, count: output.rank)))]
        }
        for (axis, pad) in try amounts(pads, axes: axes, rank: output.rank, at: context).enumerated()
        where pad != (0, 0) {
            guard let value = output.dims[axis].value else {
                output.dims[axis] = .unknown
                continue
            }
            output.dims[axis] = .known(try extent(value, pad, axis: axis, at: context))
        }
        return [Inferred(dtype, output)]
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Plan {
        let input = try operands.operand(0).shape
        let given = try operands.integers(1)
        let axes = attribute == nil ? try operands.integers(3) : nil
        let pads = try amounts(attribute ?? given ?? [], axes: axes, rank: input.rank, at: operands)
        var dims: [Int] = []
        for (axis, pad) in pads.enumerated() { dims.append(try extent(input[axis], pad, axis: axis, at: operands)) }
        let output = try operands.shape(of: dims)
        guard mode == .constant else {
            try operands.budget.check(
                CheckedSize.product(dims.reduce(0, +), 8) ?? .max, for: operands.label)
            let offsets = dims.indices.map { axis in
                (0..<(output.elementCount == 0 ? 0 : dims[axis])).map { index in
                    source(index - pads[axis].before, extent: input[axis]) * input.strides[axis]
                }
            }
            return Plan(
                output: output, interior: nil, offsets: offsets, run: Self.longestRun(offsets.last ?? []))
        }
        var (counts, from, to) = ([Int](), 0, 0)
        for (axis, pad) in pads.enumerated() {
            let first = max(0, -pad.before)
            let last = min(input[axis], dims[axis] - pad.before)
            counts.append(max(0, last - first))
            guard last > first else { continue }
            from += first * input.strides[axis]
            to += (first + pad.before) * output.strides[axis]
        }
        let copy = StridedCopy(
            dims: counts, sourceStrides: input.strides, sourceOffset: from, destinationStrides: output.strides,
            destinationOffset: to)
        return Plan(output: output, interior: copy, offsets: [], run: 0..<0)
    }

    private static func longestRun(_ columns: [Int]) -> Range<Int> {
        var (longest, first) = (0..<0, 0)
        for index in columns.indices.dropFirst() + [columns.count] {
            if index < columns.count, columns[index] == columns[index - 1] + 1 { continue }
            if index - first > longest.count { longest = first..<index }
            first = index
        }
        return longest
    }

    /// The input index that an output index, counted from the input's first element, repeats.
    fileprivate func source(_ index: Int, extent: Int) -> Int {
        switch mode {
        case .constant, .edge: return min(max(index, 0), extent - 1)
        case .wrap: return (index % extent + extent) % extent
        case .reflect:
            guard extent > 1 else { return 0 }
            let period = 2 * (extent - 1)
            let phase = (index % period + period) % period
            return min(phase, period - phase)
        }
    }

    func run(_ plan: Plan, _ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: input.dtype, shape: plan.output)
        guard let interior = plan.interior else {
            return try withStorageType(
                input.dtype, Repeat(plan: plan, input: input, output: output, context: context))
        }
        if context.hasInput(2), try context.input(2).elementCount > 0 {
            output.fill(with: try context.input(2).pointer, threads: context.threads)
        } else if input.dtype == .string {
            output.elements(String.self).update(repeating: "")
        } else {
            try withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { (memory) throws(SardonyxError) in
                guard let value = memory.baseAddress else { return }
                value.initializeMemory(as: UInt8.self, repeating: 0, count: 16)
                if attributeValue != 0 {
                    try ElementCast(from: .float32, to: input.dtype, at: context)
                        .run(from: [attributeValue], to: value, count: 1, threads: 1)
                }
                output.fill(with: value, threads: context.threads)
            }
        }
        interior.run(from: input.pointer, to: output.pointer, input.dtype, threads: context.threads)
    }

    /// The modes that repeat elements of the input.
    private struct Repeat: StorageBody {
        /// Elements written between two looks at the clock.
        static let piece = 1 << 16

        let plan: Plan
        let input: TensorView
        let output: TensorView
        let context: RunContext

        func run<T>(_ type: T.Type) throws(SardonyxError) {
            guard output.elementCount > 0 else { return }
            let source = input.pointer.assumingMemoryBound(to: T.self)
            var target = output.pointer.assumingMemoryBound(to: T.self)
            guard let columns = plan.offsets.last else { return target.pointee = source.pointee }
            try columns.withUnsafeBufferPointer { (columns) throws(SardonyxError) in
                try fill(axis: 0, from: source, to: &target, columns)
            }
        }

        private func fill<T>(
            axis: Int, from source: UnsafePointer<T>, to target: inout UnsafeMutablePointer<T>,
            _ columns: UnsafeBufferPointer<Int>
        ) throws(SardonyxError) {
            let run = plan.run
            guard axis < plan.offsets.count - 1 else {
                for border in [0..<run.lowerBound, run.upperBound..<columns.count] {
                    for first in stride(from: border.lowerBound, to: border.upperBound, by: Self.piece) {
                        if first > border.lowerBound { try context.interruption?.check() }
                        for index in first..<min(first + Self.piece, border.upperBound) {
                            target[index] = source[columns[index]]
                        }
                    }
                }
                if !run.isEmpty {
                    (target + run.lowerBound).update(from: source + columns[run.lowerBound], count: run.count)
                }
                target += columns.count
                return
            }
            for offset in plan.offsets[axis] {
                if axis == plan.offsets.count - 2 { try context.interruption?.check() }
                try fill(axis: axis + 1, from: source + offset, to: &target, columns)
            }
        }
    }
}
