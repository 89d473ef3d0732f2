import CKernels

/// Calls `body(index, worker)` for every index below `count` on at most `threads` threads; `worker` is below `threads`
/// and names the executing thread, for scratch memory.
func parallelFor(threads: Int, count: Int, _ body: @Sendable (_ index: Int, _ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { escaping in
        var job = ParallelJob(body: escaping)
        withUnsafeMutablePointer(to: &job) { context in
            sx_parallel_for(
                Int32(clamping: max(threads, 1)), Int64(count),
                { context, chunk, worker in
                    context?.assumingMemoryBound(to: ParallelJob.self).pointee.body(Int(chunk), Int(worker))
                }, context)
        }
    }
}

private struct ParallelJob {
    let body: @Sendable (Int, Int) -> Void
}
