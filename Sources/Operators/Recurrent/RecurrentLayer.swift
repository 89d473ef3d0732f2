import GraphIR
import TensorCore

/// A recurrent layer of ONNX (RNN, LSTM, GRU), in one or both directions.
///
/// Inputs: X `[steps, batch, inputs]`, W `[directions, gates · hidden, inputs]`, R `[directions, gates · hidden,
/// hidden]`, optional B `[directions, 2 · gates · hidden]`, sequence_lens `[batch]`, initial_h `[directions, batch,
/// hidden]` and, for LSTM, initial_c alike and P `[directions, 3 · hidden]`. Outputs: Y `[steps, directions, batch,
/// hidden]`, Y_h and, for LSTM, Y_c `[directions, batch, hidden]`. With `layout` 1 the batch comes first everywhere.
struct RecurrentLayer<Cell: RecurrentCell>: Operator {
    static var elementTypes: [DType] { DType.floating }
    private enum Direction: String, CaseIterable { case forward, reverse, bidirectional }

    /// Of each direction, whether it begins at the end.
    private let reversed: [Bool]
    private let hiddenSize: Int?
    private let clip: Float?
    private let batchFirst: Bool
    private let cells: [Cell]
    private var plan: RecurrentPlan?

    init(_ node: NodeReader) throws(SardonyxError) {
        switch try node.choice("direction", default: Direction.forward) {
        case .forward: reversed = [false]
        case .reverse: reversed = [true]
        case .bidirectional: reversed = [false, true]
        }
        hiddenSize = try node.int("hidden_size")
        clip = try node.float("clip")
        batchFirst = try node.bool("layout", default: false)
        let count = Cell.defaultActivations.count
        let names =
            try node.strings("activations")
            ?? Array(repeating: Cell.defaultActivations, count: reversed.count).flatMap { $0 }
        guard names.count == count * reversed.count else {
            throw node.error(
                .graph, "activations", got: "\(names.count)",
                allowed: "\(count) for each of \(reversed.count) directions")
        }
        var parameters = try RecurrentActivation.Parameters(node)
        var cells: [Cell] = []
        for direction in reversed.indices {
            var activations: [RecurrentActivation] = []
            for name in names[(direction * count)..<((direction + 1) * count)] {
                activations.append(try RecurrentActivation(name, &parameters, node))
            }
            cells.append(try Cell(node, activations))
        }
        self.cells = cells
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        let x = try context.dims(0, rank: 3, "X")
        let (steps, batch) = batchFirst ? (x[1], x[0]) : (x[0], x[1])
        let directions = Dim.known(reversed.count)
        let hidden =
            if let hiddenSize { Dim.known(hiddenSize) } else { try context.extent((input: 2, axis: 2)) }
        if let value = hidden.value, value < 1 {
            throw context.error(.shape, "hidden_size", got: "\(value)", allowed: "1 or more")
        }
        if let value = x[2].value, value < 1 {
            throw context.error(.shape, "X", got: "\(value) features", allowed: "1 or more")
        }
        let rows = try context.product([.known(Cell.gateCount), hidden])
        let state = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
        try context.requireShape(1, [directions, rows, x[2]], "W")
        try context.requireShape(2, [directions, rows, hidden], "R")
        try context.requireShape(3, [directions, try context.product([.known(2), rows])], "B")
        try context.requireShape(4, [batch], "sequence_lens")
        try context.requireShape(5, state, "initial_h")
        if Cell.keepsCellState {
            try context.requireShape(6, state, "initial_c")
            try context.requireShape(7, [directions, try context.product([.known(3), hidden])], "P")
        }
        for index in [1, 2, 3, 5] + (Cell.keepsCellState ? [6, 7] : []) where context.hasInput(index) || index < 3 {
            try context.requireDType(index, [dtype], "input \(index)")
        }
        if context.hasInput(4) { try context.requireDType(4, [.int32], "sequence_lens") }
        let y = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
        let last = Inferred(dtype, SymbolicShape(state))
        return [Inferred(dtype, SymbolicShape(y)), last] + (Cell.keepsCellState ? [last] : [])
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0)
        let extents = RecurrentPlan.Extents(
            steps: x.shape[batchFirst ? 1 : 0], batch: x.shape[batchFirst ? 0 : 1], inputs: x.shape[2],
            hidden: try context.input(2).shape[2], gates: Cell.gateCount, directions: reversed.count)
        let products = cells[0].products
        plan =
            x.dtype == .float64
            ? try RecurrentPlan(extents, products, Double.self, context)
            : try RecurrentPlan(extents, products, Float.self, context)
    }

    var scratchByteCount: Int { plan?.scratchByteCount ?? 0 }
    var preparedInputs: [Int] { (plan?.input.packed == nil ? [] : [1]) + (plan?.recurrent.packed == nil ? [] : [2]) }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard let plan, let scratch = context.scratch else {
            throw context.error(.internal, "the layer was not prepared")
        }
        if try context.input(0).dtype == .float64 {
            try run(Double.self, plan, scratch, context)
        } else {
            try run(Float.self, plan, scratch, context)
        }
    }

    private func lengths(_ extents: RecurrentPlan.Extents, _ context: RunContext) throws(SardonyxError) -> [Int]? {
        guard let lengths = try context.integers(4) else { return nil }
        for (batch, length) in lengths.enumerated() where length < 0 || length > extents.steps {
            throw context.error(
                .value, "sequence_lens: element \(batch)", got: "\(length)", allowed: "0 to \(extents.steps)")
        }
        return lengths
    }

    private func run<T: RecurrentElement>(
        _ type: T.Type, _ plan: RecurrentPlan, _ scratch: UnsafeMutableRawPointer, _ context: RunContext
    ) throws(SardonyxError) {
        let extents = plan.extents
        let lengths = try lengths(extents, context)
        let y = context.hasOutput(0) ? try context.output(0) : nil
        if let y, let lengths, lengths.contains(where: { $0 < extents.steps }) {
            y.elements(T.self).update(repeating: 0)
        }
        for direction in reversed.indices {
            try runDirection(direction, lengths, y?.typed(T.self), plan, scratch, context)
        }
    }

    @_specialize(kind:partial,where T == Float)
    private func runDirection<T: RecurrentElement>(
        _ direction: Int, _ lengths: [Int]?, _ y: UnsafeMutablePointer<T>?, _ plan: RecurrentPlan,
        _ scratch: UnsafeMutableRawPointer, _ context: RunContext
    ) throws(SardonyxError) {
        let (e, cell) = (plan.extents, cells[direction])
        let (hidden, batch, width) = (e.hidden, e.batch, e.gates * e.hidden)
        func region(_ offset: Int) -> UnsafeMutablePointer<T> {
            (scratch + offset).assumingMemoryBound(to: T.self)
        }
        func optional(_ index: Int, _ count: Int) throws(SardonyxError) -> UnsafeMutablePointer<T>? {
            context.hasInput(index) ? try context.input(index).typed(T.self) + direction * count : nil
        }
        let (projected, recurrent, gates) = (region(plan.projected), region(plan.recurrentProduct), region(plan.gates))
        let states = (0..<4).map { region(plan.states) + $0 * batch * hidden }
        let product = scratch + plan.product
        let weights = try plan.input.pointers(of: direction, T.self, scratch, context)
        let recurrentWeights = try plan.recurrent.pointers(of: direction, T.self, scratch, context)

        let given = try optional(3, 2 * width)
        let bias = region(plan.bias)
        for j in 0..<width {
            let both = j < cell.fusedGates * hidden || !cell.separatesBias
            bias[j] = given.map { both ? $0[j] + $0[width + j] : $0[j] } ?? 0
        }
        T.multiply(
            RecurrentProduct(
                m: e.steps * batch, n: width, k: e.inputs, a: try context.input(0).typed(T.self), weights: weights[0],
                bias: bias, c: projected), scratch: product, threads: context.threads)
        try initialize(states[0], 5, direction, e, context)
        try initialize(states[1], 6, direction, e, context)

        let recurrentWidth = cell.products[0].count * hidden
        let step = RecurrentStep(
            batch: batch, hidden: hidden, gates: gates, recurrent: recurrent, recurrentWidth: recurrentWidth,
            recurrentBias: cell.separatesBias
                ? given.map { UnsafePointer($0 + width + cell.fusedGates * hidden) } : nil,
            peepholes: Cell.keepsCellState ? try optional(7, 3 * hidden).map { UnsafePointer($0) } : nil,
            h: states[0], c: states[1], nextH: states[2], nextC: states[3],
            secondWeights: recurrentWeights.count > 1 ? recurrentWeights[1] : nil, clip: clip, scratch: product,
            threads: context.threads)
        for index in 0..<(lengths?.max() ?? e.steps) {
            try context.interruption?.check()
            T.multiply(
                RecurrentProduct(
                    m: batch, n: recurrentWidth, k: hidden, a: states[0], weights: recurrentWeights[0], bias: nil,
                    c: recurrent), scratch: product, threads: context.threads)
            /// The time at which an entry of the batch is; `nil` when its sequence has ended.
            func time(_ b: Int) -> Int? {
                let length = lengths?[b] ?? e.steps
                return index < length ? reversed[direction] ? length - 1 - index : index : nil
            }
            for b in 0..<batch {
                let t = time(b) ?? 0
                let source = projected + (batchFirst ? b * e.steps + t : t * batch + b) * width
                for gate in 0..<e.gates {
                    let target = gates + (gate * batch + b) * hidden
                    let from = source + gate * hidden
                    guard gate < cell.fusedGates else {
                        target.update(from: from, count: hidden)
                        continue
                    }
                    let added = recurrent + b * recurrentWidth + gate * hidden
                    for j in 0..<hidden { target[j] = from[j] + added[j] }
                }
            }
            cell.step(step)
            for b in 0..<batch {
                guard let t = time(b) else { continue }
                let next = states[2] + b * hidden
                (states[0] + b * hidden).update(from: next, count: hidden)
                if Cell.keepsCellState {
                    (states[1] + b * hidden).update(from: states[3] + b * hidden, count: hidden)
                }
                let row =
                    batchFirst
                    ? (b * e.steps + t) * e.directions + direction : (t * e.directions + direction) * batch + b
                if let y { (y + row * hidden).update(from: next, count: hidden) }
            }
        }
        for (index, state) in [(1, states[0]), (2, states[1])] where context.hasOutput(index) {
            let target = try context.output(index).typed(T.self)
            for b in 0..<batch {
                (target + stateRow(direction, b, e) * hidden).update(from: state + b * hidden, count: hidden)
            }
        }
    }

    private func stateRow(_ direction: Int, _ b: Int, _ e: RecurrentPlan.Extents) -> Int {
        batchFirst ? b * e.directions + direction : direction * e.batch + b
    }

    /// Sets a state to the input that gives its beginning, or to zero.
    private func initialize<T: RecurrentElement>(
        _ state: UnsafeMutablePointer<T>, _ index: Int, _ direction: Int, _ e: RecurrentPlan.Extents,
        _ context: RunContext
    ) throws(SardonyxError) {
        guard context.hasInput(index) else { return state.update(repeating: 0, count: e.batch * e.hidden) }
        let source = try context.input(index).typed(T.self)
        for b in 0..<e.batch {
            (state + b * e.hidden).update(from: source + stateRow(direction, b, e) * e.hidden, count: e.hidden)
        }
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard inputs.count > 2, let x = inputs[0], let w = inputs[1], let r = inputs[2] else { return 0 }
        let weights = CheckedSize.sum(w.shape.elementCount, r.shape.elementCount)
        return weights.flatMap { CheckedSize.product($0, x.shape[0], x.shape[1]) } ?? .max
    }
}
