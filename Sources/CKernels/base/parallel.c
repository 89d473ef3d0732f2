#include "sx_parallel.h"

#include <omp.h>
#include <stdatomic.h>

#if defined(__x86_64__)
#include <immintrin.h>

// Denormals are treated as zero while kernels run: a feature map full of them would be many times slower.
// The caller's mode is restored.
static unsigned enter_kernel_mode(void) {
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040);
    return saved;
}
static void leave_kernel_mode(unsigned saved) { _mm_setcsr(saved); }
#else
static unsigned enter_kernel_mode(void) { return 0; }
static void leave_kernel_mode(unsigned saved) { (void)saved; }
#endif

extern void kmp_set_blocktime(int milliseconds);

void sx_parallel_for(int threads, int64_t chunks, sx_chunk_body body, void *context) {
    if (threads > chunks) threads = (int)chunks;
    if (threads <= 1) {
        unsigned saved = enter_kernel_mode();
        for (int64_t chunk = 0; chunk < chunks; chunk++) body(context, chunk, 0);
        leave_kernel_mode(saved);
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
        unsigned saved = enter_kernel_mode();
        int worker = omp_get_thread_num();
        for (int64_t chunk; (chunk = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed)) < chunks;)
            body(context, chunk, worker);
        leave_kernel_mode(saved);
    }
}
