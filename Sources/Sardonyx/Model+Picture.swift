import Execution
import GraphIR
import TensorCore

extension Model {
    /// The model with a name of its own for every node, so that what a plan computes can be traced back to its nodes:
    /// nodes without a name, or with that of another, get their operator and place.
    public func namingNodes() -> Model {
        var named = content
        var taken: Set<Name> = []
        for index in named.graph.nodes.indices {
            var name = named.graph.nodes[index].name
            if name.isEmpty || !taken.insert(name).inserted {
                name = Name("\(named.graph.nodes[index].opType) #\(index)").unused(in: &taken)
            }
            named.graph.nodes[index].name = name
            // Nodes of an inlined function stem from its call, which is no node any more.
            named.graph.nodes[index].origins = [name]
        }
        return Model(content: named, path: path)
    }

    /// The graph of the file and, where the model can run, the plan of a session, for pictures.
    /// - Parameters:
    ///   - shapes: concrete shapes for inputs, by name; without those that the model leaves open there is no plan.
    ///   - options: of the session that plans.
    ///   - readsWeights: whether statistics of all weights are taken, for which they are read.
    ///   - limits: when to give up planning.
    /// - Throws: `usage` for an unknown input; `deadline` and `cancelled`. A model that cannot run is described as far
    ///   as it is understood.
    public func picture(
        shapes: [String: [Int]] = [:], options: SessionOptions = SessionOptions(), readsWeights: Bool = true,
        limits: RunOptions = RunOptions()
    ) throws(SardonyxError) -> ModelPicture {
        let model = try binding(shapes).namingNodes()
        var session: Session?
        var problem: String?
        let dims = Dictionary(model.inputs.map { ($0.name, $0.fixedDims) }) { first, _ in first }
        let open = model.inputs.filter { !$0.isFixed }.map(\.description)
        if !open.isEmpty {
            problem = "no plan while shapes of inputs are open (--shape): " + open.joined(separator: ", ")
        } else if model.obstacles.isEmpty {
            do {
                session = try model.session(options, limits: limits)
                _ = try session?.plannedByteCount(for: dims)
            } catch {
                if [.deadline, .cancelled].contains(error.code) { throw error }
                session = nil
                problem = error.description
            }
        }
        var picture = try model.picture(of: session, dims: dims, readsWeights: readsWeights)
        if let problem, !picture.problems.contains(problem) {
            picture = ModelPicture(
                graph: picture.graph, plan: picture.plan, functions: picture.functions, weights: picture.weights,
                problems: picture.problems + [problem])
        }
        return picture
    }

    /// - Parameters:
    ///   - session: of this model; `nil` leaves out the plan.
    ///   - dims: of every input, for the session's plan.
    func picture(
        of session: Session?, dims: [String: [Int]], readsWeights: Bool
    ) throws(SardonyxError) -> ModelPicture {
        let (graph, closed, problems) = described()
        var builder = GraphReportBuilder(opsets: content.opsets, readsWeights: readsWeights)
        let report = builder.report(graph, closed: closed)
        let functions = content.functions.map {
            ModelPicture.Function(name: "\(FunctionKey($0))", graph: builder.report($0.body))
        }
        var plan: PlanReport?
        if let session {
            let found = try session.executor.plan(
                for: try session.feedCheck.shapes(from: try session.feedCheck.named(dims)))
            plan = PlanReport(found, source: graph, &builder)
        }
        return ModelPicture(
            graph: report, plan: plan, functions: functions, weights: builder.weights ?? [],
            problems: problems + builder.problems)
    }
}

extension Session {
    /// The graph of the model and the plan for these input shapes, for pictures. Nodes of the plan are traced back to
    /// those of the file as far as these have names of their own (``Model/namingNodes()``).
    /// - Parameters:
    ///   - shapes: of every input, by name.
    ///   - readsWeights: whether statistics of all weights are taken, for which they are read.
    /// - Throws: as `run`.
    public func picture(shapes: [String: [Int]], readsWeights: Bool = true) throws(SardonyxError) -> ModelPicture {
        try model.binding(shapes).picture(of: self, dims: shapes, readsWeights: readsWeights)
    }
}

extension Signature {
    /// Extents that the model says; of the others nothing.
    fileprivate var fixedDims: [Int] {
        (extents ?? []).compactMap { extent in
            if case .fixed(let value) = extent { value } else { nil }
        }
    }
}
