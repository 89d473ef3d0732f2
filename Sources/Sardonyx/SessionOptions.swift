import Execution
import Operators
import Passes
import TensorCore

/// Whether convolutions may use Winograd's F(4x4,3x3), which needs a quarter of the multiplications and rounds a
/// little more (about 1e-6 of the output's root mean square, against 2e-7).
public enum WinogradUse: String, Sendable, Hashable, CaseIterable {
    /// Where a model of the time finds it faster and a test of the weights at load time finds it exact enough.
    case auto
    /// Nowhere.
    case off
}

/// What a session's packed weights may take.
public enum MemoryUse: String, Sendable, Hashable, CaseIterable {
    /// Weights in the fastest form: those of a Winograd convolution take four times their plain size.
    case fast
    /// Weights in their plain size: no convolution uses Winograd.
    case low
}

/// How a session runs its model.
public struct SessionOptions: Sendable, Hashable {
    /// Threads of one run; the default is the affinity mask capped by the cgroup's quota, or `OMP_NUM_THREADS`.
    public var threads: Int
    /// The most bytes that the values of one run may take; the default is three quarters of the memory.
    public var memoryLimit: Int
    /// Names of graph passes to leave out, see `SessionOptions.passNames`.
    public var disabledPasses: Set<String>
    /// Plans kept for different input shapes.
    public var planCapacity: Int
    /// Whether convolutions may use Winograd.
    public var winograd: WinogradUse
    /// Whether weights may take more memory than in the model file, for speed.
    public var memoryUse: MemoryUse

    public init(
        threads: Int? = nil, memoryLimit: Int? = nil, disabledPasses: Set<String> = [], planCapacity: Int = 8,
        winograd: WinogradUse = .auto, memoryUse: MemoryUse = .fast
    ) {
        self.threads = threads ?? SystemLimits.defaultThreads
        self.memoryLimit = memoryLimit ?? SystemLimits.defaultBudget
        self.disabledPasses = disabledPasses
        self.planCapacity = planCapacity
        self.winograd = winograd
        self.memoryUse = memoryUse
    }

    /// All passes, in order.
    public static var passNames: [String] { Pipeline.names }

    /// Every pass off: the graph runs as it was exported.
    public static var unoptimized: SessionOptions { SessionOptions(disabledPasses: Set(passNames)) }

    /// - Throws: `usage` for an option out of range, with what is allowed.
    package func executionOptions() throws(SardonyxError) -> ExecutionOptions {
        guard (1...SystemLimits.maximumThreads).contains(threads) else {
            throw SardonyxError(
                .usage, "threads", "count", got: "\(threads)", allowed: "1 to \(SystemLimits.maximumThreads)")
        }
        guard memoryLimit > 0 else {
            throw SardonyxError(.usage, "memory", "bytes", got: "\(memoryLimit)", allowed: "1 or more")
        }
        guard planCapacity > 0 else {
            throw SardonyxError(.usage, "plans", "count", got: "\(planCapacity)", allowed: "1 or more")
        }
        if let unknown = disabledPasses.subtracting(Self.passNames).sorted().first {
            throw SardonyxError(
                .usage, "passes", "unknown pass", got: "'\(unknown)'", allowed: Self.passNames.joined(separator: ", "))
        }
        return ExecutionOptions(
            threads: threads, budget: MemoryBudget(byteCount: memoryLimit), disabledPasses: disabledPasses,
            planCapacity: planCapacity, allowsWinograd: winograd == .auto && memoryUse == .fast)
    }
}

/// How a run, or the making of a session, may be stopped.
public struct RunOptions: Sendable {
    /// It fails with `deadline` once it has taken this long.
    public var timeout: Duration?
    /// Asked before every node; it fails with `cancelled` when it says true.
    public var isCancelled: (@Sendable () -> Bool)?

    public init(timeout: Duration? = nil, isCancelled: (@Sendable () -> Bool)? = nil) {
        self.timeout = timeout
        self.isCancelled = isCancelled
    }

    package var interruption: (any Interruption)? {
        guard timeout != nil || isCancelled != nil else { return nil }
        return RunControl(deadline: timeout.map { ContinuousClock.now + $0 }, isCancelled: isCancelled)
    }
}
