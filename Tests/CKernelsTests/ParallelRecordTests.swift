import CKernels
import Testing

/// What is recorded of the parallel loop, and only while it is observed. Other tests of the process may leave a team
/// with fewer helpers than it asks for.
@Suite struct ParallelRecordTests {
    /// Chunks that take a while each.
    private func loop(threads: Int32, chunks: Int64) {
        sx_parallel_for(
            threads, chunks,
            { _, chunk, _ in
                var sum = Double(chunk)
                for step in 0..<200_000 { sum += Double(step).squareRoot() }
                precondition(sum > 0)
            }, nil)
    }

    private func observing(workers: Int, _ body: () -> Void) -> (sx_parallel_record, [sx_worker_record]) {
        var record = sx_parallel_record()
        var rows = [sx_worker_record](repeating: sx_worker_record(), count: workers)
        rows.withUnsafeMutableBufferPointer { rows in
            record.workers = rows.baseAddress
            record.capacity = Int64(workers)
            withUnsafeMutablePointer(to: &record) {
                sx_parallel_observe($0)
                body()
                sx_parallel_observe(nil)
            }
        }
        return (record, rows)
    }

    @Test func regionsAndWorkersAreCounted() {
        let (record, rows) = observing(workers: 2) {
            loop(threads: 2, chunks: 6)
            loop(threads: 1, chunks: 2)
            loop(threads: 8, chunks: 1)
        }
        #expect(record.regions == 3 && (1...2).contains(record.threads))
        #expect(record.busiest >= record.mean && record.mean > 0)
        #expect(rows[0].busy + rows[1].busy >= record.busiest)
        for row in rows where row.first > 0 {
            #expect(row.last > row.first && row.busy <= row.last - row.first)
        }
        #expect(rows[0].first > 0)
    }

    @Test func workersBeyondTheRowsAreLeftOut() {
        let (record, rows) = observing(workers: 1) { loop(threads: 4, chunks: 8) }
        #expect(record.regions == 1 && (1...4).contains(record.threads) && rows[0].busy > 0)
    }

    @Test func nothingIsRecordedUnobserved() {
        let (record, rows) = observing(workers: 2) {}
        loop(threads: 2, chunks: 2)
        #expect(record.regions == 0 && rows.allSatisfy { $0.busy == 0 })
    }
}
