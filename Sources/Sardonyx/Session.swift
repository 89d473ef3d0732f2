import Execution
import GraphIR
import Operators
import TensorCore

/// A model ready to run. Immutable: any number of runs may go on at once, each with memory of its own.
public final class Session: Sendable {
    public let model: Model
    public let options: SessionOptions
    package let executor: GraphExecutor
    let feedCheck: FeedCheck

    init(_ model: Model, options: SessionOptions, interruption: (any Interruption)?) throws(SardonyxError) {
        self.model = model
        self.options = options
        do {
            self.executor = try GraphExecutor(
                model.content, options: try options.executionOptions(), interruption: interruption)
        } catch {
            throw model.path.map { error.adding(context: "loading \($0)") } ?? error
        }
        self.feedCheck = FeedCheck(model.content.graph)
    }

    /// Runs the model.
    /// - Parameter inputs: one tensor for each input of the model, by name.
    /// - Returns: one tensor for each output, by name; they belong to the caller.
    /// - Throws: `input` with every fault of the inputs at once, `limit`, `value`, `deadline`, `cancelled`.
    public func run(
        _ inputs: [String: Tensor], options: RunOptions = RunOptions()
    ) throws(SardonyxError) -> [String: Tensor] {
        let feeds = try feedCheck.feeds(from: inputs)
        let outputs = try executor.run(feeds, interruption: options.interruption)
        var named: [String: Tensor] = [:]
        for (signature, tensor) in zip(model.outputs, outputs) { named[signature.name] = tensor }
        return named
    }

    /// Runs the model away from the cooperative thread pool; cancelling the task stops the run.
    /// - Throws: as `run(_:options:)`; `cancelled` when the task is cancelled.
    public func run(
        _ inputs: [String: Tensor], timeout: Duration?
    ) async throws(SardonyxError) -> [String: Tensor] {
        let flag = CancellationFlag()
        let result: Result<[String: Tensor], SardonyxError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                RunQueue.submit {
                    let options = RunOptions(timeout: timeout, isCancelled: { flag.isSet })
                    continuation.resume(
                        returning: Result { () throws(SardonyxError) in try self.run(inputs, options: options) })
                }
            }
        } onCancel: {
            flag.set()
        }
        return try result.get()
    }

    /// Bytes that a run with these input shapes needs besides the weights; known before the first run.
    /// - Throws: as `run`.
    public func plannedByteCount(for dims: [String: [Int]]) throws(SardonyxError) -> Int {
        try executor.plan(for: try feedCheck.shapes(from: dims)).peakByteCount
    }

    /// Bytes of packed weights.
    public var weightByteCount: Int { executor.weightByteCount }

    /// Lets go of memory kept for the next run.
    public func trim() { executor.trim() }
}
