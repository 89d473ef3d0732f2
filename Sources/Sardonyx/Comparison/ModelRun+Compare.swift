import GraphIR
import TensorCore

/// How two sides are compared.
public struct ComparisonOptions: Sendable {
    public var tolerance: Tolerance
    /// Let every step read the reference's values, so that the errors are those of each node alone; else errors add up
    /// as they do in a run.
    public var resetsInputs: Bool
    /// Also look for the nodes that make NaN or infinities.
    public var huntsNotFinite: Bool
    /// The reference's names of values that have others there, by the run's; values of equal names need none.
    public var names: [String: String]
    /// When to give up.
    public var run: RunOptions

    public init(
        tolerance: Tolerance = Tolerance(), resetsInputs: Bool = false, huntsNotFinite: Bool = false,
        names: [String: String] = [:], run: RunOptions = RunOptions()
    ) {
        self.tolerance = tolerance
        self.resetsInputs = resetsInputs
        self.huntsNotFinite = huntsNotFinite
        self.names = names
        self.run = run
    }
}

/// What a run is compared with.
public enum ComparisonReference {
    case run(ModelRun)
    case recording(Recording)
}

extension ModelRun {
    /// Runs the model and compares every value that the reference has, too, node after node.
    ///
    /// A second run keeps step with the first, and of a recording one value is read at a time: what is in memory is what
    /// the runs need by themselves, and values of one side whose counterparts come later. Of nodes with subgraphs (If,
    /// Loop, Scan) the results are compared, not what is inside.
    /// - Parameters:
    ///   - inputs: one tensor for each input of the model, by name; a second model takes the same.
    ///   - progress: told the number of finished steps, and their total.
    /// - Throws: as making a session and `Session.run`; `input` when the two have no value in common, `limit` when what
    ///   must be kept does not fit in `options.memoryLimit`.
    public func compare(
        to reference: ComparisonReference, inputs: [String: Tensor], options: ComparisonOptions = ComparisonOptions(),
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws(SardonyxError) -> Comparison {
        let named = try FeedCheck(model.content.graph).named(inputs)
        return try compare(
            to: reference, feeds: named.mapValues(RuntimeValue.tensor), options: options, progress: progress)
    }

    /// As above, with values of any kind.
    package func compare(
        to reference: ComparisonReference, feeds: [Name: RuntimeValue], options: ComparisonOptions,
        progress: (Int, Int) -> Void
    ) throws(SardonyxError) -> Comparison {
        let interruption = options.run.interruption
        let names = Dictionary(options.names.map { (Name($0.key), Name($0.value)) }) { first, _ in first }
        let run = try ComparedRun(self, feeds: feeds, interruption: interruption)
        let source: any ReferenceSource
        var second: LockstepReference?
        switch reference {
        case .recording(let recording): source = RecordedReference(recording)
        case .run(let other):
            let renamed = Dictionary(feeds.map { (names[$0.key] ?? $0.key, $0.value) }) { first, _ in first }
            let lockstep = LockstepReference(
                try ComparedRun(other, feeds: renamed, interruption: interruption),
                asks: Comparer.asks(run, names: names, resetsInputs: options.resetsInputs),
                limit: self.options.memoryLimit, others: { run.steps.byteCount })
            second = lockstep
            source = lockstep
        }
        try Self.requireKnown(options.names, run, source)
        var comparer = Comparer(run, source, names: names, options)
        try comparer.hunt?.lookAtInputs(feeds)
        try comparer.compare(progress: progress)
        guard !comparer.order.isEmpty else { throw nothingInCommon(run, source) }
        let search = DivergenceSearch(run.graph, comparer.found, resetsInputs: options.resetsInputs)
        let divergence = try search.first { (node) throws(SardonyxError) in
            try weights(of: node, run.graph, beside: reference, options.tolerance)
        }
        let rows = comparer.rows
        return Comparison(
            rows: rows, unmatched: UnmatchedValues(run, model.content.graph, names).list(source.names, rows),
            notInReference: comparer.notInReference(Set(model.content.graph.values.map(\.name))),
            firstDivergence: divergence, notFinite: comparer.hunt?.report, resetsInputs: options.resetsInputs,
            mostKeptBytes: second?.mostKeptBytes ?? 0)
    }

    /// Runs the model and finds the nodes that make NaN or infinities out of finite numbers.
    /// - Throws: as making a session and `Session.run`.
    public func huntNotFinite(
        inputs: [String: Tensor], run options: RunOptions = RunOptions(), progress: (Int, Int) -> Void = { _, _ in }
    ) throws(SardonyxError) -> NotFiniteReport {
        let named = try FeedCheck(model.content.graph).named(inputs)
        return try huntNotFinite(feeds: named.mapValues(RuntimeValue.tensor), run: options, progress: progress)
    }

    /// As above, with values of any kind.
    package func huntNotFinite(
        feeds: [Name: RuntimeValue], run options: RunOptions, progress: (Int, Int) -> Void
    ) throws(SardonyxError) -> NotFiniteReport {
        let run = try ComparedRun(self, feeds: feeds, interruption: options.interruption)
        var comparer = Comparer(run, nil, names: [:], ComparisonOptions(huntsNotFinite: true))
        try comparer.hunt?.lookAtInputs(feeds)
        try comparer.compare(progress: progress)
        return comparer.hunt?.report ?? NotFiniteReport(origins: [], affectedCount: 0, valueCount: 0)
    }

    /// Runs the model and hands out every value as soon as it is there, inputs first.
    /// - Parameter body: given the value, which is its own from then on.
    /// - Throws: as making a session and `Session.run`, and what `body` throws.
    package func forEachValue(
        feeds: [Name: RuntimeValue], run options: RunOptions, progress: (Int, Int) -> Void,
        _ body: (Name, RuntimeValue) throws(SardonyxError) -> Void
    ) throws(SardonyxError) {
        let run = try ComparedRun(self, feeds: feeds, interruption: options.interruption)
        for id in run.graph.inputs {
            if let value = feeds[run.graph[id].name] { try body(run.graph[id].name, value) }
        }
        let total = run.steps.nodes.count
        while run.upcoming != nil {
            let sights = run.sights[run.steps.position]
            for sight in sights.before {
                if let value = try run.value(before: sight)?.kept() { try body(sight.name, value) }
            }
            try run.advance()
            for sight in sights.after {
                if let value = try run.steps.output(sight.position)?.kept() { try body(sight.name, value) }
            }
            progress(run.steps.position, total)
        }
        let outputs = try run.steps.outputs()
        for sight in run.last { try body(sight.name, outputs[sight.position]) }
    }

    // MARK: Faults

    /// - Throws: `usage` for a name that one side does not have.
    private static func requireKnown(
        _ names: [String: String], _ run: ComparedRun, _ reference: any ReferenceSource
    ) throws(SardonyxError) {
        guard !names.isEmpty else { return }
        let own = Set(run.names + run.graph.inputs.map { run.graph[$0].name })
        let others = Set(reference.names)
        for (name, other) in names.sorted(by: { $0.key < $1.key }) {
            if !own.contains(Name(name)) { throw unknown(name, own, "the run has no value of this name") }
            let isInput = run.graph.inputs.contains { run.graph[$0].name == Name(name) }
            if !isInput, !others.contains(Name(other)) {
                throw unknown(other, others, "the reference has no value of this name")
            }
        }
    }

    private static func unknown(_ name: String, _ known: Set<Name>, _ what: String) -> SardonyxError {
        let closest = ClosestName.of(Name(name), among: known)
        return SardonyxError(
            .usage, "names", what, got: "'\(name)'", hint: closest.map { "Did you mean '\($0)'?" })
    }

    private func nothingInCommon(_ run: ComparedRun, _ reference: any ReferenceSource) -> SardonyxError {
        func list(_ names: [Name]) -> String {
            names.suffix(4).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 4 ? ", …" : "")
        }
        return SardonyxError(
            .input, "comparison", "the run and the reference have no value of the same name",
            got: reference.names.isEmpty ? "an empty reference" : list(reference.names), allowed: list(run.names),
            hint: "Say which belong together: --map OURS=THEIRS")
    }

    // MARK: Weights

    /// The weights of a node, or of the model's nodes that it was fused from, beside those of the reference's model.
    private func weights(
        of node: Node, _ graph: Graph, beside reference: ComparisonReference, _ tolerance: Tolerance
    ) throws(SardonyxError) -> [Divergence.Input] {
        var own: [Value] = node.inputs.compactMap { $0.map { graph[$0] } }
        let sources = Set(node.origins.filter { !$0.isEmpty })
        for source in model.content.graph.nodes where sources.contains(source.name) {
            own += source.inputs.compactMap { $0.map { model.content.graph[$0] } }
        }
        var others: [Name: Constant] = [:]
        if case .run(let other) = reference {
            for value in other.model.content.graph.values { others[value.name] = value.constant }
        }
        var seen: Set<Name> = []
        var found: [Divergence.Input] = []
        for value in own {
            guard let constant = value.constant, seen.insert(value.name).inserted else { continue }
            var error: TensorError?
            if let other = others[value.name], other.dtype == constant.dtype, other.shape == constant.shape {
                error = try TensorError(try constant.tensor(), try other.tensor(), tolerance: tolerance)
            }
            found.append(Divergence.Input(value: value.name.string, kind: .constant, error: error))
        }
        return found
    }
}
