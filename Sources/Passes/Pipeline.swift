import GraphIR
import Operators
import TensorCore

/// One rewriting of a graph.
package protocol GraphPass: Sendable {
    /// As given to `--disable-pass` and `inspect --after`.
    static var name: String { get }
    static var summary: String { get }
    /// Types of all values are inferred; the pass edits through `GraphPatch`.
    static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError)
}

/// What a pass may use.
package struct PassContext: Sendable {
    package let opsets: [String: Int]
    package let evaluator: Evaluator
    package let bindings: [ValueID: Shape]
    /// Infers without evaluating.
    let inference: GraphInference
    /// Asked before every node that is inferred or evaluated.
    var interruption: (any Interruption)? { inference.interruption }
}

/// The order of the passes.
package struct Pipeline: Sendable {
    /// When a pass runs.
    package enum Stage: Sendable, Hashable, CaseIterable {
        /// Once a model: holds for every input shape, may make new weights.
        case model
        /// Once a set of input shapes: shapes are concrete; weights stay as they are.
        case plan
    }

    /// One line a pass.
    package static let passes: [(stage: Stage, pass: any GraphPass.Type)] = [
        (.model, RemoveIdentities.self),
        (.model, FoldConstants.self),
        (.model, InlineConstantIfs.self),
        (.model, ComposeViews.self),
        (.model, RemoveIdentities.self),
        (.model, BindCapturedConstants.self),
        (.model, FuseConvBias.self),
        (.model, FuseConvBatchNorm.self),
        (.model, FuseSilu.self),
        (.model, FuseHardSwish.self),
        (.model, FuseGelu.self),
        (.model, RemoveRedundantRelus.self),
        (.plan, FoldConstants.self),
        (.plan, BindCapturedConstants.self),
        (.plan, RemoveIdentities.self),
        (.plan, FuseConvResidual.self),
        (.plan, FuseConvActivation.self),
        (.plan, FuseMatMulEpilogue.self),
        (.plan, FuseAttention.self),
        (.plan, MoveChannelsLast.self),
        (.plan, MergeSiblingConvs.self),
        (.plan, ComposeChannelMoves.self),
        (.plan, PropagateLayouts.self),
    ]

    /// Names of all passes, in the order of their first use.
    package static var names: [String] {
        passes.map { $0.pass.name }.reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
    }

    private let opsets: [String: Int]
    private let disabled: Set<String>
    private let evaluator: Evaluator
    /// Which constant results are computed.
    package var folding = FoldingRule.execution
    /// As `GraphInference.toleratesGaps`.
    package var toleratesGaps = false

    package init(opsets: [String: Int], disabled: Set<String>, evaluator: Evaluator) {
        self.opsets = opsets
        self.disabled = disabled
        self.evaluator = evaluator
    }

    /// Runs the passes of a stage, with inference before each and dead code removed after each.
    /// - Parameters:
    ///   - bindings: concrete shapes of graph inputs.
    ///   - last: stops after the first pass of this name.
    ///   - interruption: asked before every node that is inferred or evaluated.
    /// - Returns: whether `last` was reached.
    @discardableResult
    package func run(
        _ stage: Stage, on graph: inout Graph, bindings: [ValueID: Shape] = [:], last: String? = nil,
        interruption: (any Interruption)? = nil
    ) throws(SardonyxError) -> Bool {
        try run(
            Self.passes.filter { $0.stage == stage }.map(\.pass), on: &graph, bindings: bindings, last: last,
            interruption: interruption)
    }

    /// Runs these passes in turn, as `run(_:on:bindings:last:interruption:)`.
    @discardableResult
    func run(
        _ passes: [any GraphPass.Type], on graph: inout Graph, bindings: [ValueID: Shape] = [:], last: String? = nil,
        interruption: (any Interruption)? = nil
    ) throws(SardonyxError) -> Bool {
        var inference = GraphInference(opsets: opsets, interruption: interruption)
        inference.folding = folding
        inference.toleratesGaps = toleratesGaps
        let context = PassContext(opsets: opsets, evaluator: evaluator, bindings: bindings, inference: inference)
        try inference.run(on: &graph, bindings: bindings)
        for pass in passes {
            if !disabled.contains(pass.name) {
                do {
                    let before = graph.nodes
                    try pass.run(on: &graph, context)
                    graph.removeDeadCode()
                    graph.inheritOrigins(from: before)
                    try graph.validate()
                } catch {
                    throw error.adding(context: "running pass \(pass.name)")
                }
                try inference.run(on: &graph, bindings: bindings)
            }
            if pass.name == last { return true }
        }
        return false
    }
}
