import CKernels
import TensorCore

extension RunContext {
    /// Calls `body` for ranges that make up `0..<count`, on the node's threads, with a look at the clock now and then.
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
                    sx_parallel_for(
                        Int32(clamping: max(threads, 1)), Int64(group),
                        { context, chunk, _ in
                            context?.assumingMemoryBound(to: RangeWork.self).pointee.run(Int(chunk))
                        }, context)
                }
            }
            first += group
        }
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
