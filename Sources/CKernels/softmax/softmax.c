#include "sx_softmax.h"

#include <assert.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "softmax_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_softmax_kernels
#define SX_TABLE "../softmax/kernels.inc"
#include "../base/dispatch.h"

const sx_softmax_kernels *sx_softmax_current(void) { return kernels(); }

/// About this many elements make a chunk; a chunk of columns is a whole number of vectors.
enum { CHUNK = 8192, COLUMN_BLOCK = 64 };

typedef struct {
    const sx_softmax_kernels *kernels;
    const float *x;
    float *y;
    int64_t outer, axis, inner, rows_per_chunk, column_blocks;
    bool logarithm;
} job;

static void run_rows(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->outer, (chunk + 1) * j->rows_per_chunk);
    for (int64_t r = chunk * j->rows_per_chunk; r < end; r++)
        j->kernels->row(j->x + r * j->axis, j->y + r * j->axis, j->axis, j->logarithm);
}

static void run_columns(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t first = chunk % j->column_blocks * COLUMN_BLOCK;
    int64_t offset = chunk / j->column_blocks * j->axis * j->inner + first;
    int64_t columns = sx_min(COLUMN_BLOCK, j->inner - first);
    j->kernels->columns(j->x + offset, j->y + offset, j->axis, j->inner, columns, j->logarithm);
}

void sx_softmax(
    const float *x, float *y, int64_t outer, int64_t axis, int64_t inner, bool logarithm, int threads) {
    assert(outer >= 0 && axis >= 0 && inner >= 0);
    if (axis == 0) return;
    job j = {kernels(), x, y, outer, axis, inner, 0, 0, logarithm};
    if (inner == 1) {
        j.rows_per_chunk = sx_max(1, CHUNK / axis);
        sx_parallel_for(threads, sx_ceil_div(outer, j.rows_per_chunk), run_rows, &j);
    } else {
        j.column_blocks = sx_ceil_div(inner, COLUMN_BLOCK);
        sx_parallel_for(threads, outer * j.column_blocks, run_columns, &j);
    }
}
