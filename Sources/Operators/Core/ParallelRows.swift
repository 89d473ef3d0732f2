import CKernels
import Synchronization
import TensorCore

extension RunContext {
    /// Calls `body` for ranges that make up `0..<count`, on the node's threads, with a look at the clock now and then.
    /// The ranges depend on count and cost only.
    /// - Parameter cost: about how many operations one index takes.
    func inParallel(_ count: Int, cost: Int, _ body: @Sendable (Range<Int>) -> Void) throws(SardonyxError) {
        let size = max(1, 16_384 / max(cost, 1))
        let chunks = count / size + (count % size == 0 ? 0 : 1)
        var first = 0
        while first < chunks {
            try interruption?.check()
            let group = min(chunks - first, max(threads, 1) * 64)
            withoutActuallyEscaping(body) { escaping in
                var work = RangeWork(start: first * size, end: count, size: size, body: escaping)
                withUnsafeMutablePointer(to: &work) { context in
                    sx_parallel_for_exact(
                        Int32(clamping: max(threads, 1)), Int64(group),
                        { context, chunk, _ in
                            context?.assumingMemoryBound(to: RangeWork.self).pointee.run(Int(chunk))
                        }, context)
                }
            }
            first += group
        }
    }

    /// Calls `body` for parts of rows that make up `0..<rows` by `0..<columns`: a single row is cut, others stay whole.
    /// - Parameter cost: about how many operations one column of a row takes.
    func inParallel(
        _ rows: Int, _ columns: Int, cost: Int, _ body: @Sendable (_ row: Int, _ columns: Range<Int>) -> Void
    ) throws(SardonyxError) {
        if rows == 1 { return try inParallel(columns, cost: cost) { body(0, $0) } }
        try inParallel(rows, cost: CheckedSize.product(columns, cost) ?? .max) { range in
            for row in range { body(row, 0..<columns) }
        }
    }

    /// Whether `body` holds for every one of the ranges that `inParallel` makes; it is called for all of them.
    func allInParallel(_ count: Int, cost: Int, _ body: @Sendable (Range<Int>) -> Bool) throws(SardonyxError) -> Bool {
        let fails = Atomic(false)
        try inParallel(count, cost: cost) { range in
            if !body(range) { fails.store(true, ordering: .relaxed) }
        }
        return !fails.load(ordering: .relaxed)
    }
}

private struct RangeWork {
    let start, end, size: Int
    let body: @Sendable (Range<Int>) -> Void

    func run(_ chunk: Int) {
        let first = start + chunk * size
        body(first..<min(end, first + size))
    }
}
