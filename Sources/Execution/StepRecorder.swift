import CKernels
import GraphIR
import Glibc
import Operators
import TensorCore

/// Takes the times of every step of repeated runs of one plan. Times are in nanoseconds of CLOCK_MONOTONIC.
package final class StepRecorder: StepObserver {
    /// One step in one run.
    package struct Sample: Sendable {
        package var start: Int64
        package var end: Int64
        /// Calls of the parallel loop.
        package var regions: Int64
        /// Sums over the parallel regions: the time of the busiest worker, and the mean of the workers.
        package var busiest: Int64
        package var mean: Int64
        /// The most workers that a region had; 0 without one.
        package var threads: Int64

        package var nanoseconds: Int64 { end - start }
    }

    /// What one worker did in one step.
    package struct WorkerSpan: Sendable {
        package let first: Int64
        package let last: Int64
        package let busy: Int64
    }

    /// One run, from before the inputs are bound until the outputs are there.
    package struct Run: Sendable {
        package var start: Int64 = 0
        package var end: Int64 = 0
        /// By step, then by worker; `first` is 0 where a worker had no part.
        package var workers: [WorkerSpan] = []

        package var nanoseconds: Int64 { end - start }
    }

    package let stepCount: Int
    package let workerCount: Int
    /// By run, then by step.
    package private(set) var samples: [Sample] = []
    package private(set) var runs: [(start: Int64, end: Int64)] = []
    /// Index and worker spans of the run that took the least time.
    package private(set) var fastest: (index: Int, run: Run) = (0, Run())
    /// Of every node of the tail, in the latest run.
    package private(set) var tail: [(inputs: [TensorInfo?], outputs: [TensorInfo?])] = []

    private var current = Run()
    private let record: UnsafeMutablePointer<sx_parallel_record>
    private let rows: UnsafeMutablePointer<sx_worker_record>

    /// - Throws: `limit` when the samples of all runs take more than the budget.
    package init(
        stepCount: Int, tailCount: Int, workerCount: Int, runs: Int, budget: MemoryBudget
    ) throws(SardonyxError) {
        let byteCount = CheckedSize.product(runs, stepCount, MemoryLayout<Sample>.stride)
        try budget.check(byteCount ?? .max, for: "profile")
        self.stepCount = stepCount
        self.workerCount = workerCount
        self.record = .allocate(capacity: 1)
        self.rows = .allocate(capacity: workerCount)
        rows.initialize(repeating: sx_worker_record(), count: workerCount)
        record.initialize(to: sx_parallel_record())
        record.pointee.workers = rows
        record.pointee.capacity = Int64(workerCount)
        samples.reserveCapacity(runs * stepCount)
        self.runs.reserveCapacity(runs)
        tail = Array(repeating: ([], []), count: tailCount)
    }

    deinit {
        record.deallocate()
        rows.deallocate()
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Measures one run, which must call this observer for every step.
    /// - Throws: what the run throws.
    package func measure<Outputs>(_ run: () throws(SardonyxError) -> Outputs) throws(SardonyxError) {
        defer { sx_parallel_observe(nil) }
        current.workers.removeAll(keepingCapacity: true)
        current.start = Self.now()
        let outputs = try run()
        current.end = Self.now()
        withExtendedLifetime(outputs) {}
        if runs.isEmpty || current.nanoseconds < fastest.run.nanoseconds {
            swap(&current, &fastest.run)
            fastest.index = runs.count
            runs.append((fastest.run.start, fastest.run.end))
        } else {
            runs.append((current.start, current.end))
        }
    }

    package func willRun(_ node: Node) {
        record.pointee.regions = 0
        record.pointee.busiest = 0
        record.pointee.mean = 0
        record.pointee.threads = 0
        rows.update(repeating: sx_worker_record(), count: workerCount)
        sx_parallel_observe(record)
        let start = Self.now()
        samples.append(Sample(start: start, end: start, regions: 0, busiest: 0, mean: 0, threads: 0))
    }

    package func didRun(_ node: Node) {
        let end = Self.now()
        sx_parallel_observe(nil)
        let (step, regions) = (samples.count - 1, record.pointee)
        guard step >= 0 else { return }
        samples[step].end = end
        samples[step].regions = regions.regions
        samples[step].busiest = regions.busiest
        samples[step].mean = regions.mean
        samples[step].threads = regions.threads
        for worker in 0..<workerCount {
            let row = rows[worker]
            current.workers.append(WorkerSpan(first: row.first, last: row.last, busy: row.busy))
        }
    }

    package func didRunTail(_ index: Int, _ inputs: [Tensor?], _ outputs: [Tensor?]) {
        guard tail.indices.contains(index) else { return }
        func info(_ tensor: Tensor?) -> TensorInfo? { tensor.map { TensorInfo(dtype: $0.dtype, shape: $0.shape) } }
        tail[index] = (inputs.map(info), outputs.map(info))
    }
}
