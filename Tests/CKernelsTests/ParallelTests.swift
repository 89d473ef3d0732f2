import CKernels
import Dispatch
import Testing

/// Teams and jobs: every chunk runs once, by a worker in range, however many teams there are.
@Suite struct ParallelTests {
    /// What the chunks of one job wrote: by chunk, how often it ran and the highest worker.
    struct Record {
        var runs: UnsafeMutablePointer<Int32>
        var workers: UnsafeMutablePointer<Int32>
        var threads: Int32
        var chunks: Int64
        var repetitions = 1
    }

    private static let mark: sx_chunk_body = { context, chunk, worker in
        guard let record = context?.assumingMemoryBound(to: Record.self) else { return }
        record.pointee.runs[Int(chunk)] += 1
        record.pointee.workers[Int(chunk)] = max(record.pointee.workers[Int(chunk)], worker)
    }

    private static let runAll: sx_team_body = { context in
        guard let record = context?.assumingMemoryBound(to: Record.self) else { return }
        for _ in 0..<record.pointee.repetitions {
            sx_parallel_for(record.pointee.threads, record.pointee.chunks, mark, context)
        }
    }

    /// Whether every chunk ran `repetitions` times on a worker below `threads`.
    private static func isComplete(
        threads: Int32, chunks: Int64, repetitions: Int, with launch: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        let runs = UnsafeMutablePointer<Int32>.allocate(capacity: Int(chunks) + 1)
        let workers = UnsafeMutablePointer<Int32>.allocate(capacity: Int(chunks) + 1)
        defer {
            runs.deallocate()
            workers.deallocate()
        }
        runs.initialize(repeating: 0, count: Int(chunks) + 1)
        workers.initialize(repeating: 0, count: Int(chunks) + 1)
        var record = Record(runs: runs, workers: workers, threads: threads, chunks: chunks, repetitions: repetitions)
        withUnsafeMutablePointer(to: &record) { launch(UnsafeMutableRawPointer($0)) }
        return (0..<Int(chunks)).allSatisfy { runs[$0] == Int32(repetitions) && workers[$0] < max(threads, 1) }
    }

    @Test(arguments: [1, 2, 3, 8] as [Int32], [0, 1, 2, 7, 1000] as [Int64])
    func everyChunkRunsOnce(threads: Int32, chunks: Int64) {
        #expect(Self.isComplete(threads: threads, chunks: chunks, repetitions: 1) { Self.runAll($0) })
        #expect(Self.isComplete(threads: threads, chunks: chunks, repetitions: 300) { Self.runAll($0) })
        for teamThreads in [1, 2, 5] as [Int32] {
            #expect(
                Self.isComplete(threads: threads, chunks: chunks, repetitions: 300) {
                    sx_with_team(teamThreads, 2, Self.runAll, $0)
                }, "in a team of \(teamThreads)")
        }
    }

    @Test(arguments: [(1, 2, true), (2, 2, true), (2, 1, false), (1, 1, false)] as [(Int32, Int64, Bool)])
    func aTeamTellsWhetherHelpersAreWanted(teamThreads: Int32, chunks: Int64, areWanted: Bool) {
        var chunks = chunks
        let told = withUnsafeMutablePointer(to: &chunks) {
            sx_with_team(
                teamThreads, 2,
                { context in
                    let chunks = context?.assumingMemoryBound(to: Int64.self).pointee ?? 0
                    sx_parallel_for(2, chunks, { _, _, _ in }, nil)
                }, $0)
        }
        #expect(told == areWanted)
    }

    @Test func manyTeamsAtOnce() {
        let results = UnsafeMutablePointer<Bool>.allocate(capacity: 16)
        defer { results.deallocate() }
        nonisolated(unsafe) let complete = results
        DispatchQueue.concurrentPerform(iterations: 16) { index in
            complete[index] = (0..<20).allSatisfy { round in
                Self.isComplete(threads: 3, chunks: 40, repetitions: 50) { context in
                    if round % 2 == 0 { sx_with_team(3, 2, Self.runAll, context) } else { Self.runAll(context) }
                }
            }
        }
        #expect((0..<16).allSatisfy { results[$0] })
    }

    /// A job started from inside a chunk, and a team inside a team, run where they are.
    @Test func jobsAndTeamsNest() {
        /// By worker: a job inside a job may have helpers of its own.
        struct Nested { var totals: (Int64, Int64) = (0, 0) }
        var nested = Nested()
        withUnsafeMutablePointer(to: &nested) { pointer in
            sx_with_team(
                2, 2,
                { context in
                    sx_with_team(
                        2, 2,
                        { context in
                            sx_parallel_for(
                                2, 1,
                                { context, _, _ in
                                    sx_parallel_for(
                                        2, 10,
                                        { context, chunk, worker in
                                            let nested = context?.assumingMemoryBound(to: Nested.self)
                                            if worker == 0 {
                                                nested?.pointee.totals.0 += chunk
                                            } else {
                                                nested?.pointee.totals.1 += chunk
                                            }
                                        }, context)
                                }, context)
                        }, context)
                }, pointer)
        }
        #expect(nested.totals.0 + nested.totals.1 == 45)
    }
}
