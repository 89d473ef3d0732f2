#include "sx_parallel.h"

#include <omp.h>
#include <stdatomic.h>

extern void kmp_set_blocktime(int milliseconds);

void sx_parallel_for(int threads, int64_t chunks, sx_chunk_body body, void *context) {
    if (threads > chunks) threads = (int)chunks;
    if (threads <= 1) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) body(context, chunk, 0);
        return;
    }
    // A waiting worker spins at most this long before it sleeps; idle sessions burn no CPU.
    static _Thread_local int blocktime_set = 0;
    if (!blocktime_set) {
        kmp_set_blocktime(1);
        blocktime_set = 1;
    }
    _Atomic int64_t next = 0;
#pragma omp parallel num_threads(threads)
    {
        int worker = omp_get_thread_num();
        for (int64_t chunk; (chunk = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed)) < chunks;)
            body(context, chunk, worker);
    }
}
