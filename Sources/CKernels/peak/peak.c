#include "sx_peak.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peak_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_peak_kernels
#define SX_TABLE "../peak/kernels.inc"
#include "../base/dispatch.h"

enum { ROUNDS = 200000 };

typedef struct {
    const sx_peak_kernels *kernels;
    const float *buffer;
    int64_t floats;
    volatile float sink;
} job;

static void run_multiply_add(void *context, int64_t chunk, int worker) {
    (void)chunk, (void)worker;
    job *j = context;
    j->sink = j->kernels->multiply_add(ROUNDS);
}

static void run_read(void *context, int64_t chunk, int worker) {
    (void)worker;
    job *j = context;
    j->sink = j->kernels->read(j->buffer + chunk * j->floats, j->floats);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/// The shortest time of one parallel run of `body`, over about `milliseconds`.
static double best_seconds(job *j, sx_chunk_body body, int threads, double milliseconds) {
    double best = 0.0, end = seconds() + 1e-3 * milliseconds;
    do {
        double start = seconds();
        sx_parallel_for(threads, threads, body, j);
        double taken = seconds() - start;
        if (best == 0.0 || taken < best) best = taken;
    } while (seconds() < end);
    return best;
}

double sx_measure_fma_gmacs(int threads, double milliseconds) {
    job j = {.kernels = kernels()};
    double best = best_seconds(&j, run_multiply_add, threads, milliseconds);
    return 1e-9 * ROUNDS * SX_PEAK_MACS_PER_ROUND * threads / best;
}

double sx_measure_read_gbs(int threads, int64_t bytes, double milliseconds) {
    int64_t floats = bytes / 256 * 64;
    size_t total = (size_t)(floats * threads) * sizeof(float);
    float *buffer = floats > 0 && threads > 0 ? aligned_alloc(64, total) : NULL;
    if (!buffer) return 0.0;
    memset(buffer, 0, total);
    job j = {.kernels = kernels(), .buffer = buffer, .floats = floats};
    double best = best_seconds(&j, run_read, threads, milliseconds);
    free(buffer);
    return 1e-9 * (double)total / best;
}
