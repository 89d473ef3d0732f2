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
        try Self.requireTensors(model)
        if let fault = model.content.missingData.first { throw fault }
        do {
            self.executor = try GraphExecutor(
                model.content, options: try options.executionOptions(), interruption: interruption)
        } catch {
            throw model.path.map { error.adding(context: "loading \($0)") } ?? error
        }
        self.feedCheck = FeedCheck(model.content.graph)
    }

    /// Sequences and optionals may be inside a model, but not what it takes or gives.
    private static func requireTensors(_ model: Model) throws(SardonyxError) {
        let graph = model.content.graph
        for (role, ids) in [("input", graph.inputs), ("output", graph.outputs)] {
            for id in ids {
                guard let type = graph[id].type, type.dtype == nil else { continue }
                throw SardonyxError(
                    .unsupported, "\(role) '\(graph[id].name)'", "kind of value", got: "\(type)", allowed: "tensors")
            }
        }
    }

    /// Runs the model.
    /// - Parameter inputs: one tensor for each input of the model, by name.
    /// - Returns: one tensor for each output, by name; they belong to the caller.
    /// - Throws: `input` with every fault of the inputs at once, `limit`, `value`, `deadline`, `cancelled`; `input` also
    ///   where names of the model differ as bytes but not as text (composed and decomposed é).
    public func run(
        _ inputs: [String: Tensor], options: RunOptions = RunOptions()
    ) throws(SardonyxError) -> [String: Tensor] {
        let outputs = try run(byName: try feedCheck.named(inputs), options: options)
        return Dictionary(zip(model.outputs.map(\.name), outputs)) { first, _ in first }
    }

    /// Runs the model whatever its names are.
    /// - Parameter inputs: one tensor for each of `model.inputs`, in their order.
    /// - Returns: one tensor for each of `model.outputs`, in their order; they belong to the caller.
    /// - Throws: as `run(_:options:)`.
    public func run(
        inOrder inputs: [Tensor], options: RunOptions = RunOptions()
    ) throws(SardonyxError) -> [Tensor] {
        try executor.run(try feedCheck.feeds(inOrder: inputs), interruption: options.interruption)
    }

    /// Runs the model with inputs by their names as bytes; the outputs are in the order of `model.outputs`.
    package func run(
        byName inputs: [Name: Tensor], options: RunOptions = RunOptions()
    ) throws(SardonyxError) -> [Tensor] {
        try executor.run(try feedCheck.feeds(from: inputs), interruption: options.interruption)
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
        try plannedByteCount(byName: try feedCheck.named(dims))
    }

    /// As above, with names as bytes.
    package func plannedByteCount(byName dims: [Name: [Int]]) throws(SardonyxError) -> Int {
        try executor.plan(for: try feedCheck.shapes(from: dims)).peakByteCount
    }

    /// Bytes of packed weights.
    public var weightByteCount: Int { executor.weightByteCount }

    /// Lets go of memory kept for the next run.
    public func trim() { executor.trim() }
}
