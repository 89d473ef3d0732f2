import GraphIR
import Operators
import TensorCore
import Testing

@testable import Execution
@testable import Passes

/// What tests of the rewriting of files share.
enum RewritingChecks {
    /// Numbers that arithmetic treats in ways of its own. Subnormal ones are not among them: kernels make zeros of them, and
    /// what is not computed any more keeps them.
    static let extremes: [Float] = [-0.0, 0, .nan, .infinity, -.infinity, 1e-37]

    static func rewritten(_ original: ModelGraph, disabled: Set<String> = []) throws -> ModelGraph {
        var model = original
        let rewriting = StandardRewriting(disabled: disabled, largestGrowth: 1 << 20, evaluator: Evaluator())
        _ = try rewriting.run(on: &model)
        return model
    }

    static func operators(_ model: ModelGraph) -> [String] { model.graph.nodes.map(\.opType) }

    /// Outputs of a model as it is written, without any pass.
    static func outputs(_ model: ModelGraph, _ feeds: [Tensor]) throws -> [Tensor] {
        var options = ExecutionOptions(threads: 1)
        options.disabledPasses = Set(Pipeline.names)
        return try GraphExecutor(model, options: options).run(feeds)
    }

    /// Rewrites a model, which must compute the same bits before, after, and under the planner's passes.
    static func exactly(_ model: ModelGraph, _ feeds: [Tensor]) throws -> [String] {
        let rewritten = try rewritten(model)
        let expected = try outputs(model, feeds)
        for others in [
            try outputs(rewritten, feeds),
            try GraphExecutor(model, options: ExecutionOptions(threads: 1)).run(feeds),
        ] {
            #expect(others.count == expected.count)
            for (mine, theirs) in zip(others, expected) {
                #expect(mine.shape == theirs.shape && mine.dtype == theirs.dtype)
                #expect(mine.withUnsafeBytes { Array($0) } == theirs.withUnsafeBytes { Array($0) })
            }
        }
        return operators(rewritten)
    }
}
