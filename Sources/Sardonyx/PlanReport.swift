import Execution
import GraphIR

/// A plan for one set of input shapes: the graph that runs and where its values lie.
public struct PlanReport: Sendable, Encodable {
    /// A block of the arena. Values that are views of each other, or that a node overwrites in place, share one.
    public struct Buffer: Sendable, Encodable {
        public let byteOffset: Int
        public let byteCount: Int
        /// First and last step that needs it.
        public let firstStep: Int
        public let lastStep: Int
        /// Indices of the values in it; empty for the scratch memory of a step.
        public let values: [Int]
    }

    public let graph: GraphReport
    /// Steps of one run, those whose shapes depend on data included.
    public let stepCount: Int
    public let buffers: [Buffer]
    public let arenaByteCount: Int
    /// The arena and the results.
    public let peakByteCount: Int
}

extension PlanReport {
    /// - Parameter source: the graph of the file, to whose nodes those of the plan are traced back.
    init(_ plan: Plan, source: Graph, _ builder: inout GraphReportBuilder) {
        let constants = GraphReportBuilder.constantNodes(of: source)
        var places: [Name: Int] = [:]
        var place = 0
        for (index, node) in source.nodes.enumerated() where constants[index] == nil {
            if !node.name.isEmpty { places[node.name] = place }
            place += 1
        }
        var stepOfValue: [ValueID: Int] = [:]
        for (step, entry) in plan.steps.enumerated() {
            for case let output? in entry.node.outputs { stepOfValue[output] = step }
        }
        for (index, node) in (plan.tail?.nodes ?? []).enumerated() {
            for case let output? in node.outputs { stepOfValue[output] = plan.steps.count + index }
        }
        let planned = plan.graph.nodes.map { node in
            var planned = GraphReportBuilder.Planned()
            planned.origins = Set(node.origins.compactMap { places[$0] }).sorted()
            planned.step = node.outputs.lazy.compactMap { $0.flatMap { stepOfValue[$0] } }.first
            if let step = planned.step, step < plan.steps.count {
                planned.algorithm = plan.steps[step].op.algorithm
                planned.cost = plan.steps[step].cost
            }
            return planned
        }
        graph = builder.report(plan.graph, planned: planned)
        stepCount = plan.steps.count + (plan.tail?.nodes.count ?? 0)
        buffers = plan.buffers.map {
            Buffer(
                byteOffset: $0.byteOffset, byteCount: $0.byteCount, firstStep: $0.steps.lowerBound,
                lastStep: $0.steps.upperBound, values: $0.values.map(\.index))
        }
        arenaByteCount = plan.arenaByteCount
        peakByteCount = plan.peakByteCount
    }
}
