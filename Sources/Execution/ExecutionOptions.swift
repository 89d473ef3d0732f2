import Operators
import Passes
import TensorCore

/// How an executor plans and runs.
package struct ExecutionOptions: Sendable {
    /// Threads of one run.
    package var threads: Int
    /// The most bytes that the values of one run may take.
    package var budget: MemoryBudget
    /// Names of passes that are switched off.
    package var disabledPasses: Set<String>
    /// Plans kept for different input shapes; the least recently used goes first.
    package var planCapacity: Int
    /// Whether convolutions may use Winograd, whose weights take four times the memory.
    package var allowsWinograd: Bool

    package init(
        threads: Int = SystemLimits.defaultThreads,
        budget: MemoryBudget = MemoryBudget(byteCount: SystemLimits.defaultBudget),
        disabledPasses: Set<String> = [], planCapacity: Int = 8, allowsWinograd: Bool = true
    ) {
        self.threads = threads
        self.budget = budget
        self.disabledPasses = disabledPasses
        self.planCapacity = planCapacity
        self.allowsWinograd = allowsWinograd
    }
}

/// Stops a run at a point in time or on request; checked before every node.
package final class RunControl: Interruption {
    private let deadline: ContinuousClock.Instant?
    private let isCancelled: (@Sendable () -> Bool)?

    package init(deadline: ContinuousClock.Instant?, isCancelled: (@Sendable () -> Bool)? = nil) {
        self.deadline = deadline
        self.isCancelled = isCancelled
    }

    package func check() throws(SardonyxError) {
        if let isCancelled, isCancelled() { throw SardonyxError(.cancelled, "run", "cancelled by the caller") }
        if let deadline, ContinuousClock.now >= deadline {
            throw SardonyxError(.deadline, "run", "the deadline has passed", hint: "Give more time or a smaller input")
        }
    }
}
