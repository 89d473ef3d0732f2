#ifndef SX_PARALLEL_H
#define SX_PARALLEL_H

#include <stdint.h>

/// One chunk of work. `worker` is in [0, threads) and names the executing thread, for per-thread scratch.
typedef void (*sx_chunk_body)(void *context, int64_t chunk, int worker);

/// Runs `body` for every chunk in [0, chunks) on at most `threads` threads and returns when all are done.
/// Threads take chunks from an atomic counter, so a thread that loses its core delays one chunk only.
/// With one thread or one chunk it runs on the caller's thread. This is the only OpenMP region in the library.
/// While a body runs on x86, subnormal operands and results of arithmetic count as zero; the caller's mode comes back.
void sx_parallel_for(int threads, int64_t chunks, sx_chunk_body body, void *context);

#endif
