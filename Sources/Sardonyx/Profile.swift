import TensorCore

/// Where the time of a model's runs goes, step by step; made by ``Session/profile(_:rounds:warmUp:options:progress:)``.
///
/// A multiply-accumulate (MAC) is two floating-point operations: GFLOP/s are twice the GMAC/s given here.
public struct Profile: Sendable, Hashable, Codable {
    /// What the arithmetic units and the memory of this machine give, measured beside the runs.
    public struct Machine: Sendable, Hashable, Codable {
        /// Instruction set of the kernels: `scalar`, `avx2` or `avx512`.
        public let isa: String
        /// Threads of one run.
        public let threads: Int
        /// Fused multiply-adds of float32 a second on all threads, in units of 1e9.
        public let fmaGMACsPerSecond: Double
        /// Bytes read a second from a large buffer on all threads, in units of 1e9.
        public let readGBPerSecond: Double
    }

    /// What something takes and how well it uses the machine.
    public struct Cost: Sendable, Hashable, Codable {
        /// Of one run: the median over the rounds, or a sum of such medians.
        public let milliseconds: Double
        /// Of all steps and the time outside of them: 0 to 1.
        public let share: Double
        /// Counted for the direct algorithm.
        public let multiplyAccumulates: Int
        /// Those of the algorithm in use: Winograd F(4×4, 3×3) executes about a quarter.
        public let executedMultiplyAccumulates: Int
        /// Inputs, weights and outputs, each once, in their memory layouts.
        public let byteCount: Int
        /// `multiplyAccumulates` a second, in units of 1e9; `nil` without any.
        public let directGMACsPerSecond: Double?
        /// `executedMultiplyAccumulates` a second, in units of 1e9; `nil` without any.
        public let executedGMACsPerSecond: Double?
        /// `executedGMACsPerSecond` by the machine's `fmaGMACsPerSecond`.
        public let fractionOfPeak: Double?
        /// `byteCount` a second, in units of 1e9. What stays in caches can be faster than memory.
        public let gbPerSecond: Double?
        /// `gbPerSecond` by the machine's `readGBPerSecond`.
        public let fractionOfBandwidth: Double?
        /// What peak and bandwidth leave possible: the greater of executed MACs at the machine's FMA peak and bytes at
        /// its read bandwidth (the roofline model: Williams, Waterman, Patterson 2009); of several steps the sum.
        public let boundMilliseconds: Double
    }

    /// One node of the optimised graph, in the order of execution.
    public struct Step: Sendable, Hashable, Codable {
        public let name: String
        /// `""` is ONNX, `sardonyx` the operators that graph passes make.
        public let domain: String
        public let operatorName: String
        /// Empty for operators that have only one.
        public let algorithm: String
        public let inputs: [ModelReport.ValueReport?]
        public let outputs: [ModelReport.ValueReport?]
        /// Nodes of the source model that this step computes.
        public let origins: [String]
        /// `false` for a node whose shapes depend on data: it is inferred and allocated in every run.
        public let isPlanned: Bool
        public let cost: Cost
        /// Threads of its widest parallel region; 1 without any.
        public let threads: Int
        /// Parallel regions of one run.
        public let regions: Int
        /// Time inside parallel regions, by their busiest workers: median of the rounds. The rest is serial work,
        /// waking the workers and waiting for the last one.
        public let parallelMilliseconds: Double
        /// Busiest worker over mean worker, 1 at best: median of the rounds. `nil` without a region of several threads.
        public let imbalance: Double?

        /// The operator as listings name it: `Conv` for ONNX's and for the fused one.
        public var kind: String { domain.isEmpty || domain == "sardonyx" ? operatorName : "\(domain).\(operatorName)" }
        /// The operator, and its algorithm where it has several: `Conv direct`.
        public var method: String { algorithm.isEmpty ? kind : "\(kind) \(algorithm)" }
        /// Whether it only moves a tensor from one memory layout to another.
        public var isReorder: Bool { domain == "sardonyx" && operatorName == "Reorder" }
    }

    /// All steps of one kind together.
    public struct Total: Sendable, Hashable, Codable {
        /// An operator, or an operator and its algorithm: `Conv`, `Conv direct`.
        public let name: String
        public let stepCount: Int
        public let cost: Cost
    }

    /// When everything happened in the round that took the least time, in milliseconds from its start.
    public struct Timeline: Sendable, Hashable, Codable {
        public struct Worker: Sendable, Hashable, Codable {
            /// 0 is the thread that started the run.
            public let worker: Int
            /// From its first parallel region of the step to the end of its last.
            public let startMilliseconds: Double
            public let endMilliseconds: Double
            /// Of that inside the regions.
            public let busyMilliseconds: Double
        }

        public struct Span: Sendable, Hashable, Codable {
            public let startMilliseconds: Double
            public let endMilliseconds: Double
            public let workers: [Worker]
        }

        /// The whole run.
        public let milliseconds: Double
        /// By step.
        public let steps: [Span]
    }

    public let machine: Machine
    /// Runs that were measured.
    public let rounds: Int
    /// Runs before them.
    public let warmUp: Int
    /// The whole run: its time is the median over the rounds, its counts are sums over the steps.
    public let run: Cost
    /// Checks and binding of inputs, memory for outputs, copies of outputs: median of what a round took beside its steps.
    public let outsideMilliseconds: Double
    public let steps: [Step]
    /// By operator, the costliest first.
    public let operators: [Total]
    /// By operator and algorithm, the costliest first; without operators that have only one algorithm.
    public let algorithms: [Total]
    /// Steps that only change a memory layout.
    public let reorders: Total
    public let timeline: Timeline
}

extension Profile.Cost {
    init(
        milliseconds: Double, of total: Double, multiplyAccumulates: Int, executed: Int, byteCount: Int,
        bound: Double? = nil, on machine: Profile.Machine
    ) {
        func rate(_ count: Int) -> Double? {
            count > 0 && milliseconds > 0 ? Double(count) / milliseconds * 1e-6 : nil
        }
        func fraction(_ rate: Double?, _ peak: Double) -> Double? { peak > 0 ? rate.map { $0 / peak } : nil }
        self.milliseconds = milliseconds
        self.share = total > 0 ? milliseconds / total : 0
        self.multiplyAccumulates = multiplyAccumulates
        self.executedMultiplyAccumulates = executed
        self.byteCount = byteCount
        self.directGMACsPerSecond = rate(multiplyAccumulates)
        self.executedGMACsPerSecond = rate(executed)
        self.fractionOfPeak = fraction(executedGMACsPerSecond, machine.fmaGMACsPerSecond)
        self.gbPerSecond = rate(byteCount)
        self.fractionOfBandwidth = fraction(gbPerSecond, machine.readGBPerSecond)
        self.boundMilliseconds = bound ?? max(fractionOfPeak ?? 0, fractionOfBandwidth ?? 0) * milliseconds
    }

    /// The sum of parts; `milliseconds` in place of the sum of theirs.
    init(
        _ parts: [Profile.Cost], milliseconds: Double? = nil, of total: Double, on machine: Profile.Machine
    ) {
        func sum(_ count: KeyPath<Profile.Cost, Int>) -> Int {
            CheckedSize.sum(parts.lazy.map { $0[keyPath: count] }) ?? .max
        }
        self.init(
            milliseconds: milliseconds ?? parts.reduce(0) { $0 + $1.milliseconds }, of: total,
            multiplyAccumulates: sum(\.multiplyAccumulates), executed: sum(\.executedMultiplyAccumulates),
            byteCount: sum(\.byteCount), bound: parts.reduce(0) { $0 + $1.boundMilliseconds }, on: machine)
    }
}
