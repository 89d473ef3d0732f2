#include "sx_unary.h"

#include <assert.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "sx_parallel.h"
#include "unary_kernels.h"

#define SX_FAMILY sx_unary_kernels
#define SX_TABLE "../unary/kernels.inc"
#include "../base/dispatch.h"

enum { CHUNK = 16384 };

typedef struct {
    const sx_unary_kernels *kernels;
    sx_activation f;
    const float *x;
    float *y;
    int64_t n;
} job;

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t begin = chunk * CHUNK;
    j->kernels->row(j->f, j->x + begin, j->y + begin, sx_min(CHUNK, j->n - begin));
}

const sx_unary_kernels *sx_unary_current(void) { return kernels(); }

void sx_unary(sx_activation f, const float *x, float *y, int64_t n, int threads) {
    assert(f.op < SX_UNARY_COUNT && n >= 0);
    if (f.op == SX_UNARY_IDENTITY && x == y) return;
    job j = {kernels(), f, x, y, n};
    sx_parallel_for(threads, sx_ceil_div(n, CHUNK), run, &j);
}
