#include "sx_parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };

static unsigned keep_subnormals(void) {
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved & ~(unsigned)(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO));
    return saved;
}
static void restore(unsigned saved) { _mm_setcsr(saved); }
#else
static unsigned keep_subnormals(void) { return 0; }
static void restore(unsigned saved) { (void)saved; }
#endif

typedef struct {
    sx_chunk_body body;
    void *context;
} exact_job;

static void run_exact(void *context, int64_t chunk, int worker) {
    const exact_job *job = context;
    unsigned saved = keep_subnormals();
    job->body(job->context, chunk, worker);
    restore(saved);
}

void sx_parallel_for_exact(int threads, int64_t chunks, sx_chunk_body body, void *context) {
    exact_job job = {body, context};
    sx_parallel_for(threads, chunks, run_exact, &job);
}
