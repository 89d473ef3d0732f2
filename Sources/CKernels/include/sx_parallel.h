#ifndef SX_PARALLEL_H
#define SX_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

/// One chunk of work. `worker` is in [0, threads) and names the executing thread, for per-thread scratch.
typedef void (*sx_chunk_body)(void *context, int64_t chunk, int worker);

/// Runs `body` for every chunk in [0, chunks) on at most `threads` threads and returns when all are done.
/// Threads take chunks from an atomic counter, and the caller waits only for those in the middle of one: a thread
/// that has no core delays nothing. With one thread or one chunk it runs on the caller's thread; so does a call made
/// from inside a chunk. Outside a team it makes one for itself.
/// While a body runs on x86, subnormal operands and results of arithmetic count as zero; the caller's mode comes back.
void sx_parallel_for(int threads, int64_t chunks, sx_chunk_body body, void *context);

/// `sx_parallel_for` for bodies whose arithmetic is the language's: subnormals count as themselves.
void sx_parallel_for_exact(int threads, int64_t chunks, sx_chunk_body body, void *context);

typedef void (*sx_team_body)(void *context);

/// Calls `body` once, on the caller's thread, while up to `threads` - 1 helpers stand by for the `sx_parallel_for`
/// calls that it makes. All teams of the process together keep at most `processors` (or `threads`, if more) helpers,
/// and a helper joins in only while fewer threads than that are at work: with many teams at once each caller works
/// alone. A helper without work spins for some microseconds, then sleeps; after `body` has returned it sleeps within
/// a millisecond. Inside a team it just calls `body`. Allocates nothing once the threads are there.
///
/// Returns whether a job had work for more than one thread: if none had, the same body is done sooner with `threads` = 1,
/// because to wake helpers and to see them off takes longer than many a small graph.
bool sx_with_team(int threads, int processors, sx_team_body body, void *context);

/// What one worker did while a record was observed. Times in nanoseconds of CLOCK_MONOTONIC.
typedef struct {
    int64_t region;       ///< time in the region that is going on
    int64_t busy;         ///< time in all regions, from entering one to finding no chunk left
    int64_t first, last;  ///< first entry and last exit; 0 where the worker had no part
} sx_worker_record;

/// What the calls of `sx_parallel_for` on one thread amounted to; cleared by whoever observes.
typedef struct {
    int64_t regions;            ///< calls
    int64_t busiest;            ///< sum over the regions of the time of the busiest worker, nanoseconds
    int64_t mean;               ///< sum over the regions of the mean time of their workers, nanoseconds
    int64_t threads;            ///< the most workers that a region had
    int64_t capacity;           ///< rows of `workers`; others go unrecorded
    sx_worker_record *workers;  ///< by worker number
} sx_parallel_record;

/// From now on the regions that the calling thread starts add to `record`; NULL ends it. Unobserved regions read no
/// clock.
void sx_parallel_observe(sx_parallel_record *record);

#endif
