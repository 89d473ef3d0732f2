import CKernels
import Execution
import GraphIR
import Operators
import Passes
import TensorCore

/// A model and how it is run: one side of a comparison.
///
/// ```swift
/// let model = try Model(contentsOf: "detector.onnx")
/// let comparison = try ModelRun(model).compare(
///     to: .run(ModelRun(model, isOptimized: false)), inputs: ["image": tensor])
/// print(comparison.isWithin, comparison.firstDivergence?.node ?? "")
/// ```
public struct ModelRun: Sendable {
    public var model: Model
    public var options: SessionOptions
    /// By its plan, with the passes that `options` leave; else every node by itself, in order, as the file has them.
    public var isOptimized: Bool
    /// The strongest kernels that it may use: `scalar`, `avx2` or `avx512`; `nil` takes the process's.
    public var instructionSet: String?

    public init(
        _ model: Model, options: SessionOptions = SessionOptions(), isOptimized: Bool = true,
        instructionSet: String? = nil
    ) {
        self.model = model
        self.options = options
        self.isOptimized = isOptimized
        self.instructionSet = instructionSet
    }

    /// Names that `instructionSet` may have.
    public static var instructionSets: [String] { levels.map { String(cString: sx_isa_name($0)) } }

    private static let levels = [SX_ISA_SCALAR, SX_ISA_AVX2, SX_ISA_AVX512]

    /// - Throws: `usage` for an unknown name, `unsupported` for kernels that this machine cannot run.
    func level() throws(SardonyxError) -> sx_isa? {
        guard let instructionSet else { return nil }
        guard let level = Self.levels.first(where: { String(cString: sx_isa_name($0)) == instructionSet }) else {
            throw SardonyxError(
                .usage, "instruction set", "unknown", got: "'\(instructionSet)'",
                allowed: Self.instructionSets.joined(separator: ", "))
        }
        guard level.rawValue <= sx_isa_supported().rawValue else {
            throw SardonyxError(
                .unsupported, "instruction set", "this machine does not have it", got: "'\(instructionSet)'",
                allowed: "up to \(String(cString: sx_isa_name(sx_isa_supported())))")
        }
        return level
    }
}

/// A run under way, step by step, with its kernels held to a level.
final class ComparedRun {
    /// A value that the run shows for the first time.
    struct Sight {
        let id: ValueID
        let name: Name
        /// Position among the inputs or outputs of the step; of the graph's outputs at the end.
        let position: Int
    }

    /// What becomes visible around one step.
    struct Sights {
        /// Among what the step will read: values that no step made, as views of other values are, and results of the
        /// model's nodes that were computed when it was loaded.
        var before: [Sight] = []
        var after: [Sight] = []
    }

    let steps: SteppedRun
    var graph: Graph { steps.graph }
    /// By step.
    let sights: [Sights]
    /// Outputs of the graph that no step shows.
    let last: [Sight]
    private let level: sx_isa?

    /// - Parameter feeds: by input name.
    /// - Throws: as making a session and `Session.run`.
    init(
        _ side: ModelRun, feeds: [Name: RuntimeValue], interruption: (any Interruption)?
    ) throws(SardonyxError) {
        let level = try side.level()
        self.level = level
        let content = side.model.content
        let ordered = try Self.ordered(feeds, content.graph)
        let steps = try withKernels(upTo: level) { () throws(SardonyxError) in
            let options = try side.options.executionOptions()
            if side.isOptimized {
                return try SteppedRun(
                    GraphExecutor(content, options: options, interruption: interruption), ordered,
                    interruption: interruption)
            }
            try OperatorCoverage.check(content)
            return try SteppedRun(
                NodeByNode(content, options: options), ordered, budget: options.budget, interruption: interruption)
        }
        self.steps = steps
        (sights, last) = Self.sights(of: steps, content.graph)
    }

    private static func ordered(
        _ feeds: [Name: RuntimeValue], _ graph: Graph
    ) throws(SardonyxError) -> [RuntimeValue] {
        let tensors = feeds.compactMapValues(\.tensor)
        if tensors.count == feeds.count, graph.inputs.allSatisfy({ graph[$0].type?.dtype != nil }) {
            return try FeedCheck(graph).feeds(from: tensors).map(RuntimeValue.tensor)
        }
        return try graph.inputs.map { (id) throws(SardonyxError) in
            if let value = feeds[graph[id].name] { return value }
            if case .optional? = graph[id].type, let type = graph[id].type { return .absent(type) }
            throw SardonyxError(
                .input, "input '\(graph[id].name)'", "is missing", hint: Signature(graph[id]).description)
        }
    }

    private static func sights(of run: SteppedRun, _ source: Graph) -> ([Sights], [Sight]) {
        let graph = run.graph
        let made = Set(source.nodes.flatMap { $0.outputs.compactMap { $0.map { source[$0].name } } })
        var seen = Set(graph.inputs)
        func isNew(_ id: ValueID) -> Bool {
            (graph[id].constant == nil || made.contains(graph[id].name)) && seen.insert(id).inserted
        }
        func sights(_ ids: [ValueID?]) -> [Sight] {
            ids.enumerated().compactMap { position, id in
                guard let id, isNew(id) else { return nil }
                return Sight(id: id, name: graph[id].name, position: position)
            }
        }
        var steps: [Sights] = []
        for node in run.nodes {
            let before = sights(node.inputs)
            steps.append(Sights(before: before, after: sights(node.outputs)))
        }
        return (steps, sights(graph.outputs))
    }

    /// Every value that becomes visible, in order.
    var names: [Name] { (sights.flatMap { $0.before + $0.after } + last).map(\.name) }

    var upcoming: Node? { steps.upcoming }

    /// What a sight before the upcoming step shows.
    func value(before sight: Sight) throws(SardonyxError) -> SteppedRun.Seen? {
        if let seen = try steps.input(sight.position) { return seen }
        guard let constant = graph[sight.id].constant else { return nil }
        return SteppedRun.Seen(.tensor(try constant.tensor()))
    }

    func advance() throws(SardonyxError) {
        try withKernels(upTo: level) { () throws(SardonyxError) in try steps.advance() }
    }
}
