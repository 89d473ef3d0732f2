import GraphIR
import TensorCore

/// ONNX Scan (8-25): runs a graph once for every slice of its scan inputs, with state carried from slice to slice.
///
/// Inputs: initial states, scan inputs, captured values. Outputs: final states, then what the body makes of every slice,
/// put together along an axis. Version 8 does so for every item of a batch (axis 0), has the slices on axis 1, and takes
/// the lengths of the sequences as an optional first input; outputs behind a sequence's end are zero.
struct Scan: Operator {
    private var body: Subgraph
    private let isBatched: Bool
    private let stateCount: Int
    private let scanCount: Int
    private let outputCount: Int
    private let captureCount: Int
    private let wanted: [Bool]
    private let inputAxes, outputAxes: [Int]
    private let reversesInput, reversesOutput: [Bool]

    init(_ node: NodeReader) throws(SardonyxError) {
        body = try Subgraph(node, "body")
        isBatched = node.opset < 9
        captureCount = node.node.captureCount
        scanCount = try node.required("num_scan_inputs", try node.int("num_scan_inputs"))
        let ownInputs = node.inputCount - captureCount - (isBatched ? 1 : 0)
        guard scanCount >= 1, scanCount <= ownInputs else {
            throw node.error(
                .graph, "attribute num_scan_inputs", got: "\(scanCount)", allowed: "1 to \(max(ownInputs, 0))")
        }
        stateCount = ownInputs - scanCount
        wanted = (0..<node.outputCount).map(node.hasOutput)
        try body.requireSignature(inputs: ownInputs, outputs: max(stateCount, wanted.count), at: node)
        outputCount = body.graph.outputs.count - stateCount
        inputAxes = try Self.list(node, "scan_input_axes", scanCount, isBatched)
        outputAxes = try Self.list(node, "scan_output_axes", outputCount, isBatched)
        reversesInput = try Self.list(node, isBatched ? "directions" : "scan_input_directions", scanCount, false)
            .map { $0 != 0 }
        reversesOutput = try Self.list(node, "scan_output_directions", outputCount, isBatched).map { $0 != 0 }
    }

    /// One number for each input or output, 0 where the attribute does not exist.
    private static func list(
        _ node: NodeReader, _ name: String, _ count: Int, _ isUnknown: Bool
    ) throws(SardonyxError) -> [Int] {
        guard !isUnknown, let values = try node.ints(name) else { return [Int](repeating: 0, count: count) }
        guard values.count == count else {
            throw node.error(.graph, "attribute \(name)", got: "\(values.count) entries", allowed: "\(count)")
        }
        return values
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    private var firstInput: Int { isBatched ? 1 : 0 }
    private var stateInputs: Range<Int> { firstInput..<firstInput + stateCount }
    private var scanInputs: Range<Int> { stateInputs.upperBound..<stateInputs.upperBound + scanCount }
    private var capturedInputs: Range<Int> { scanInputs.upperBound..<scanInputs.upperBound + captureCount }

    // MARK: Types

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        var states: [Inferred] = []
        var batch = Dim.unknown
        for index in stateInputs {
            let type = try context.input(index).type
            states.append(Inferred(isBatched ? without(axis: 0, type, &batch) : type))
        }
        var elements: [Inferred] = []
        var length = Dim.unknown
        for (position, index) in scanInputs.enumerated() {
            var type = try context.input(index).type
            guard type.dtype != nil else {
                throw context.error(.graph, "scan input \(position) must be a tensor", got: "\(type)")
            }
            if isBatched { type = without(axis: 0, type, &batch) }
            let before = length
            let axis = try type.shape.map { (shape) throws(SardonyxError) in
                try context.axis(inputAxes[position], rank: shape.rank, "axis of scan input \(position)")
            }
            elements.append(Inferred(axis.map { without(axis: $0, type, &length) } ?? type.withoutShapes))
            if let one = before.value, let other = length.value, one != other {
                throw context.error(
                    .shape, "length of scan input \(position)", got: "\(other)", allowed: "\(one) as of those before")
            }
        }
        let invariant = try body.invariant(
            of: states, before: [], after: elements + (try context.captured()), offset: 0, context)
        var outputs: [Inferred] = []
        for index in wanted.indices {
            let isState = index < stateCount
            guard case .tensor(let dtype, let shape) = isState ? invariant.state[index] : invariant.outputs[index].type
            else {
                outputs.append(Inferred(invariant.outputs[index].type))
                continue
            }
            var dims = shape?.dims
            if !isState, let rank = dims?.count {
                let axis = try context.axis(outputAxes[index - stateCount], rank: rank + 1, "axis of a scan output")
                dims?.insert(length, at: axis)
            }
            if isBatched { dims?.insert(batch, at: 0) }
            outputs.append(Inferred(dtype, dims.map { SymbolicShape($0) }))
        }
        return outputs
    }

    /// The type of a slice; notes the extent of the axis where it is known.
    private func without(axis: Int, _ type: ValueType, _ extent: inout Dim) -> ValueType {
        guard case .tensor(let dtype, let shape?) = type, axis < shape.rank else { return type.withoutShapes }
        var dims = shape.dims
        let dim = dims.remove(at: axis)
        if dim.value != nil || extent == .unknown { extent = dim }
        return .tensor(dtype, SymbolicShape(dims))
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        try body.prepare(
            (try context.types(stateInputs)) + (try context.types(scanInputs)) + (try context.types(capturedInputs)),
            context)
    }

    // MARK: Running

    func run(_ context: RunContext) throws(SardonyxError) {
        let states = try context.values(stateInputs)
        var scanned: [Tensor] = []
        for (position, value) in try context.values(scanInputs).enumerated() {
            guard case .tensor(let tensor) = value else {
                throw context.error(.graph, "scan input \(position) must be a tensor", got: "\(value.type)")
            }
            scanned.append(tensor)
        }
        let captured = try context.values(capturedInputs)
        if isBatched { return try runBatches(states, scanned, captured, context) }
        let sources = try sources(scanned, context)
        let pass = try scan(states, sources, length: sources[0].count, captured, context)
        for index in wanted.indices where wanted[index] {
            let value =
                index < stateCount
                ? pass.states[index]
                : .tensor(
                    try pass.rows[index - stateCount].tensor(
                        rowType: pass.rowTypes?[index], axis: outputAxes[index - stateCount], context))
            try context.setOutput(index, value)
        }
    }

    /// What one pass over all slices makes.
    private struct Pass {
        var states: [RuntimeValue]
        var rows: [RowCollector]
        /// Types of the body's outputs, when there was no slice.
        var rowTypes: [ValueType]?
    }

    private func sources(_ scanned: [Tensor], _ context: RunContext) throws(SardonyxError) -> [SliceSource] {
        var sources: [SliceSource] = []
        for (position, tensor) in scanned.enumerated() {
            let axis = try context.axis(
                inputAxes[position], rank: tensor.shape.rank, "axis of scan input \(position)")
            let source = SliceSource(tensor, axis: axis, shape: try slice(of: tensor.shape, axis, context))
            guard source.count == sources.first?.count ?? source.count else {
                throw context.error(
                    .shape, "length of scan input \(position)", got: "\(source.count)",
                    allowed: "\(sources[0].count) as of the first")
            }
            sources.append(source)
        }
        return sources
    }

    private func slice(of shape: Shape, _ axis: Int, _ context: RunContext) throws(SardonyxError) -> Shape {
        var dims = shape.dims
        dims.remove(at: axis)
        return try context.shape(of: dims)
    }

    private func scan(
        _ initial: [RuntimeValue], _ sources: [SliceSource], length: Int, _ captured: [RuntimeValue],
        _ context: RunContext
    ) throws(SardonyxError) -> Pass {
        var pass = Pass(
            states: initial, rows: reversesOutput.map { RowCollector(atMost: length, isReversed: $0) })
        for step in 0..<length {
            try context.interruption?.check()
            var inputs = pass.states
            for (source, isReversed) in zip(sources, reversesInput) {
                inputs.append(.tensor(try source.slice(isReversed ? length - 1 - step : step, context)))
            }
            let outputs = try body.run(inputs + captured, context)
            for index in pass.states.indices { pass.states[index] = outputs[index] }
            for index in pass.rows.indices where isWanted(stateCount + index) {
                try pass.rows[index].append(outputs[stateCount + index], "scan output \(index)", context)
            }
        }
        if length == 0, outputCount > 0 {
            let slices = sources.map { ValueType.tensor($0.tensor.dtype, SymbolicShape($0.shape)) }
            pass.rowTypes = try body.outputTypes(initial.map(\.type) + slices, captured: captured, context)
        }
        return pass
    }

    private func isWanted(_ output: Int) -> Bool { output < wanted.count && wanted[output] }

    private func runBatches(
        _ states: [RuntimeValue], _ scanned: [Tensor], _ captured: [RuntimeValue], _ context: RunContext
    ) throws(SardonyxError) {
        guard let first = scanned.first, first.shape.rank >= 2 else {
            throw context.error(
                .shape, "scan input 0", got: "\(scanned.first?.shape ?? .scalar)", allowed: "rank 2 or more")
        }
        let (batch, length) = (first.shape[0], first.shape[1])
        let lengths = try context.integers(0) ?? [Int](repeating: length, count: batch)
        guard lengths.count == batch, lengths.allSatisfy({ (0...length).contains($0) }) else {
            throw context.error(.value, "sequence_lens", got: "\(lengths)", allowed: "\(batch) of 0 to \(length)")
        }
        var items: [SliceSource] = []
        for (position, value) in (states + scanned.map(RuntimeValue.tensor)).enumerated() {
            guard case .tensor(let tensor) = value, tensor.shape.rank >= 1, tensor.shape[0] == batch else {
                throw context.error(
                    .shape, "input \(position + 1)", got: "\(value.type)", allowed: "a batch of \(batch)")
            }
            items.append(SliceSource(tensor, axis: 0, shape: try slice(of: tensor.shape, 0, context)))
        }
        var outputs = [RowCollector](repeating: RowCollector(atMost: batch), count: body.graph.outputs.count)
        for item in 0..<batch {
            var slices: [Tensor] = []
            for source in items { slices.append(try source.slice(item, context)) }
            let sources = try sources(Array(slices.suffix(scanCount)), context)
            let initial = slices.prefix(stateCount).map(RuntimeValue.tensor)
            let pass = try scan(initial, sources, length: lengths[item], captured, context)
            for index in outputs.indices where isWanted(index) {
                let value =
                    index < stateCount
                    ? pass.states[index]
                    : .tensor(
                        try pass.rows[index - stateCount].tensor(
                            rowType: pass.rowTypes?[index], paddedTo: length, context))
                try outputs[index].append(value, "output \(index)", context)
            }
        }
        let types =
            batch == 0
            ? try body.outputTypes(
                items.map { .tensor($0.tensor.dtype, SymbolicShape($0.shape)) }, captured: captured, context) : nil
        for index in wanted.indices where wanted[index] {
            var type = types?[index]
            if index >= stateCount, case .tensor(let dtype, let row)? = type {
                type = .tensor(dtype, row.map { SymbolicShape([.known(length)] + $0.dims) })
            }
            try context.setOutput(index, .tensor(try outputs[index].tensor(rowType: type, context)))
        }
    }
}

/// Slices of a tensor along one axis.
private struct SliceSource {
    let tensor: Tensor
    /// Of a slice.
    let shape: Shape
    let count: Int
    private let outer: Int
    private let inner: Int

    init(_ tensor: Tensor, axis: Int, shape: Shape) {
        self.tensor = tensor
        self.shape = shape
        count = tensor.shape[axis]
        outer = tensor.shape.dims[..<axis].reduce(1, *)
        inner = tensor.shape.dims[(axis + 1)...].reduce(1, *)
    }

    /// The slice where it lies when its elements follow each other, else a copy.
    func slice(_ index: Int, _ context: RunContext) throws(SardonyxError) -> Tensor {
        let first = index * inner
        if outer == 1 {
            return Tensor(
                dtype: tensor.dtype, shape: shape, buffer: tensor.buffer,
                byteOffset: tensor.byteOffset + first * tensor.dtype.byteSize)
        }
        try context.budget.check(shape.elementCount * tensor.dtype.byteSize, for: context.label)
        return try Tensor(dtype: tensor.dtype, shape: shape) { (memory) throws(SardonyxError) in
            StridedCopy(
                dims: [outer, inner], sourceStrides: [count * inner, 1], sourceOffset: first,
                destinationStrides: [inner, 1]
            ).run(from: tensor.pointer, to: memory, tensor.dtype, threads: context.threads)
            withExtendedLifetime(tensor) {}
        }
    }
}
