import CKernels
import Execution
import GraphIR
import Operators
import TensorCore

extension Session {
    /// The most rounds of a profile.
    public static var maximumProfileRounds: Int { 10_000 }

    /// Runs the model again and again, takes the time of every step, and measures the machine's peaks beside it.
    ///
    /// Nothing of this costs a run that is not profiled.
    /// - Parameters:
    ///   - inputs: one tensor for each input of the model, by name.
    ///   - rounds: measured runs, 1 to `maximumProfileRounds`.
    ///   - warmUp: runs before them, 0 to `maximumProfileRounds`.
    ///   - options: when to give up; the timeout is for all runs together.
    ///   - progress: told the number of finished runs.
    /// - Throws: as `run(_:options:)`; `usage` for counts out of range, `limit` when the samples of all rounds take
    ///   more memory than the session may.
    public func profile(
        _ inputs: [String: Tensor], rounds: Int = 30, warmUp: Int = 5, options: RunOptions = RunOptions(),
        progress: (Int) -> Void = { _ in }
    ) throws(SardonyxError) -> Profile {
        for (name, count, least) in [("rounds", rounds, 1), ("warm-up", warmUp, 0)]
        where !(least...Self.maximumProfileRounds).contains(count) {
            throw SardonyxError(
                .usage, name, "count", got: "\(count)", allowed: "\(least) to \(Self.maximumProfileRounds)")
        }
        let feeds = try feedCheck.feeds(from: inputs)
        let interruption = options.interruption
        let plan = try executor.plan(for: feeds.map(\.shape), interruption: interruption)
        let tailCount = plan.tail?.nodes.count ?? 0
        let recorder = try StepRecorder(
            stepCount: plan.steps.count + tailCount, tailCount: tailCount, workerCount: self.options.threads,
            runs: rounds, budget: executor.options.budget)
        let before = Peaks(threads: self.options.threads)
        for round in 0..<warmUp {
            _ = try executor.run(feeds, interruption: interruption)
            progress(round + 1)
        }
        for round in 0..<rounds {
            try recorder.measure { () throws(SardonyxError) in
                try executor.run(feeds, interruption: interruption, observer: recorder)
            }
            progress(warmUp + round + 1)
        }
        let peaks = before.merged(Peaks(threads: self.options.threads))
        let machine = Profile.Machine(
            isa: String(cString: sx_isa_name(sx_isa_level())), threads: self.options.threads,
            fmaGMACsPerSecond: peaks.gmacs, readGBPerSecond: peaks.gigabytes)
        return ProfileBuilder(
            plan: plan, recorder: recorder, machine: machine, opsets: model.content.opsets, warmUp: warmUp
        ).profile()
    }
}

/// Short measurements of the machine, before and after the rounds: the greater ones count, as other load only takes.
private struct Peaks {
    let gmacs: Double
    let gigabytes: Double

    init(threads: Int) {
        // Beyond all caches, yet at most 1 GiB for all threads.
        let byteCount = min(64 << 20, (1 << 30) / max(threads, 1))
        gmacs = sx_measure_fma_gmacs(Int32(clamping: threads), 100)
        gigabytes = sx_measure_read_gbs(Int32(clamping: threads), Int64(byteCount), 100)
    }

    private init(gmacs: Double, gigabytes: Double) {
        self.gmacs = gmacs
        self.gigabytes = gigabytes
    }

    func merged(_ other: Peaks) -> Peaks {
        Peaks(gmacs: max(gmacs, other.gmacs), gigabytes: max(gigabytes, other.gigabytes))
    }
}
