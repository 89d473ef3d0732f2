import GraphIR
import TensorCore

/// Takes a run step by step and measures every value that the reference has, too.
struct Comparer {
    let run: ComparedRun
    /// `nil` for a hunt alone.
    let reference: (any ReferenceSource)?
    /// Of the run's value names to those of the reference, where they differ.
    let names: [Name: Name]
    let tolerance: Tolerance
    let resetsInputs: Bool
    var hunt: NotFiniteHunt?
    private(set) var found: [ValueID: Comparison.Row] = [:]
    private(set) var order: [ValueID] = []
    private var missing: [Name] = []
    private let outputs: Set<ValueID>
    private let producers: [Int?]

    init(
        _ run: ComparedRun, _ reference: (any ReferenceSource)?, names: [Name: Name], _ options: ComparisonOptions
    ) {
        self.run = run
        self.reference = reference
        self.names = names
        tolerance = options.tolerance
        resetsInputs = options.resetsInputs
        hunt = options.huntsNotFinite || reference == nil ? NotFiniteHunt(run.graph) : nil
        outputs = Set(run.graph.outputs)
        producers = run.graph.producers()
    }

    /// How often each value of the reference will be asked for.
    static func asks(_ run: ComparedRun, names: [Name: Name], resetsInputs: Bool) -> [Name: Int] {
        var asks: [Name: Int] = [:]
        for name in run.names { asks[names[name] ?? name, default: 0] += 1 }
        guard resetsInputs else { return asks }
        for node in run.steps.nodes {
            for case let id? in node.inputs where Self.isMade(id, run.graph) {
                let name = run.graph[id].name
                asks[names[name] ?? name, default: 0] += 1
            }
        }
        return asks
    }

    private static func isMade(_ id: ValueID, _ graph: Graph) -> Bool {
        graph[id].constant == nil && !graph.inputs.contains(id)
    }

    /// - Parameter progress: told the number of steps done, and their total.
    mutating func compare(progress: (Int, Int) -> Void) throws(SardonyxError) {
        let total = run.steps.nodes.count
        while let node = run.upcoming {
            let step = run.steps.position
            let sights = run.sights[step]
            for sight in sights.before {
                if let seen = try run.value(before: sight) { try look(sight, seen.value, step) }
            }
            if resetsInputs, let reference {
                for (position, id) in node.inputs.enumerated() {
                    guard let id, Self.isMade(id, run.graph) else { continue }
                    let value = try reference.value(referenceName(run.graph[id].name))
                    if let tensor = value?.tensor { _ = run.steps.replaceInput(position, with: tensor) }
                }
            }
            try run.advance()
            for sight in sights.after {
                if let seen = try run.steps.output(sight.position) { try look(sight, seen.value, step) }
            }
            try hunt?.conclude(node, step)
            progress(step + 1, total)
        }
        let values = run.last.isEmpty ? [] : try run.steps.outputs()
        for sight in run.last { try look(sight, values[sight.position], total) }
    }

    private func referenceName(_ name: Name) -> Name { names[name] ?? name }

    private mutating func look(_ sight: ComparedRun.Sight, _ value: RuntimeValue, _ step: Int) throws(SardonyxError) {
        try hunt?.look(sight.id, value)
        guard let reference else { return }
        let name = referenceName(sight.name)
        guard let expected = try reference.value(name) else { return missing.append(sight.name) }
        let (error, note): (TensorError?, String?)
        do {
            (error, note) = try Self.measure(value, expected, tolerance)
        } catch {
            throw error.placed(at: "'\(sight.name)'")
        }
        let node = maker(of: sight.id, step)
        found[sight.id] = Comparison.Row(
            step: step, node: node?.name.string ?? "", domain: node?.domain ?? "",
            operatorName: node?.opType ?? "constant",
            origins: node?.sources ?? [], value: sight.name.string,
            referenceName: name == sight.name ? nil : name.string, type: Self.text(value),
            isOutput: outputs.contains(sight.id), error: error, note: note)
        order.append(sight.id)
    }

    /// The node that makes a value: the step itself, or a view that no step makes.
    private func maker(of id: ValueID, _ step: Int) -> Node? {
        if step < run.steps.nodes.count, run.steps.nodes[step].outputs.contains(id) { return run.steps.nodes[step] }
        return producers[id.index].map { run.graph.nodes[$0] }
    }

    private static func text(_ value: RuntimeValue) -> String {
        switch value {
        case .tensor(let tensor): "\(tensor.dtype)\(tensor.shape)"
        case .sequence(let sequence): "\(sequence.count) × \(sequence.dtype)"
        case .absent(let type): "no \(type)"
        }
    }

    // MARK: Measuring

    /// The error, or why there is none.
    static func measure(
        _ actual: RuntimeValue, _ expected: RuntimeValue, _ tolerance: Tolerance
    ) throws(SardonyxError) -> (TensorError?, String?) {
        switch (actual, expected) {
        case (.tensor(let actual), .tensor(let expected)): return try measure(actual, expected, tolerance)
        case (.sequence(let actual), .sequence(let expected)):
            guard actual.count == expected.count else {
                return (nil, "\(actual.count) tensors, in the reference \(expected.count)")
            }
            var worst: (TensorError?, String?) = (nil, actual.count == 0 ? "an empty sequence" : nil)
            for (index, pair) in zip(actual.elements, expected.elements).enumerated() {
                let (error, note) = try measure(pair.0, pair.1, tolerance)
                guard let error else { return (nil, "tensor \(index): \(note ?? "")") }
                if worst.0 == nil || error.excess > (worst.0?.excess ?? 0) {
                    worst = (error, "tensor \(index) of \(actual.count)")
                }
            }
            if actual.count == 0 {
                let empty = try Tensor([Float](), dims: [0])
                worst.0 = try TensorError(empty, empty, tolerance: tolerance)
            }
            return worst
        case (.absent, .absent):
            let empty = try Tensor([Float](), dims: [0])
            return (try TensorError(empty, empty, tolerance: tolerance), "nothing on both sides")
        default: return (nil, "\(actual.type), in the reference \(expected.type)")
        }
    }

    private static func measure(
        _ actual: Tensor, _ expected: Tensor, _ tolerance: Tolerance
    ) throws(SardonyxError) -> (TensorError?, String?) {
        var expected = expected
        // What NumPy files hold bit by bit.
        if expected.dtype != actual.dtype, expected.dtype == actual.dtype.stored {
            expected = expected.bits(as: actual.dtype)
        }
        guard actual.shape == expected.shape else {
            return (nil, "shape \(actual.shape), in the reference \(expected.shape)")
        }
        guard actual.dtype == expected.dtype || (actual.dtype.isFloatingPoint && expected.dtype.isFloatingPoint) else {
            return (nil, "\(actual.dtype), in the reference \(expected.dtype)")
        }
        return (try TensorError(actual, expected, tolerance: tolerance), nil)
    }

    // MARK: Results

    var rows: [Comparison.Row] { order.compactMap { found[$0] } }

    /// Values that the reference lacks, but for those of names that passes made.
    /// - Parameter known: names of the model's own values.
    func notInReference(_ known: Set<Name>) -> [String] { missing.filter(known.contains).map(\.string) }
}

extension Node {
    /// Names of the source model's nodes that a fused node computes; empty for a node of the model itself.
    var sources: [String] { origins.count > 1 ? origins.filter { !$0.isEmpty }.map(\.string) : [] }
}
