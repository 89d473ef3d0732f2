#include "sx_reduce.h"

#include <assert.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "reduce_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_reduce_kernels
#define SX_TABLE "../reduce/kernels.inc"
#include "../base/dispatch.h"

enum { CHUNK = 32768 };

typedef struct {
    const sx_reduce_kernels *kernels;
    sx_reduce_op op;
    const float *x;
    float *y;
    int64_t outer, axis, inner, column_blocks, units, units_per_chunk;
} job;

/// A unit is one row, or one block of columns.
static void run_unit(const job *j, int64_t unit) {
    if (j->inner == 1) {
        j->y[unit] = j->kernels->row(j->op, j->x + unit * j->axis, j->axis);
        return;
    }
    int64_t o = unit / j->column_blocks, first = unit % j->column_blocks * SX_REDUCE_COLUMNS;
    j->kernels->columns(
        j->op, j->x + o * j->axis * j->inner + first, j->y + o * j->inner + first, j->axis, j->inner,
        sx_min(SX_REDUCE_COLUMNS, j->inner - first));
}

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->units, (chunk + 1) * j->units_per_chunk);
    for (int64_t unit = chunk * j->units_per_chunk; unit < end; unit++) run_unit(j, unit);
}

void sx_reduce(
    sx_reduce_op op, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner, int threads) {
    assert(op < SX_REDUCE_COUNT && outer >= 0 && axis >= 0 && inner >= 0);
    job j = {kernels(), op, x, y, outer, axis, inner, sx_ceil_div(inner, SX_REDUCE_COLUMNS), 0, 0};
    int64_t unit_elements = sx_max(1, axis * sx_min(inner, SX_REDUCE_COLUMNS));
    j.units = outer * (inner == 1 ? 1 : j.column_blocks);
    j.units_per_chunk = sx_max(1, CHUNK / unit_elements);
    sx_parallel_for(threads, sx_ceil_div(j.units, j.units_per_chunk), run, &j);
}

typedef struct {
    const sx_reduce_kernels *kernels;
    const float *x;
    int64_t *y;
    int64_t outer, axis, rows_per_chunk;
    sx_reduce_op op;
} arg_job;

static void run_arg(void *context, int64_t chunk, int worker) {
    (void)worker;
    const arg_job *j = context;
    int64_t end = sx_min(j->outer, (chunk + 1) * j->rows_per_chunk);
    for (int64_t row = chunk * j->rows_per_chunk; row < end; row++) {
        const float *x = j->x + row * j->axis;
        j->y[row] = j->kernels->find(x, j->axis, j->kernels->row(j->op, x, j->axis));
    }
}

void sx_arg_extreme(const float *x, int64_t *y, int64_t outer, int64_t axis, bool is_greatest, int threads) {
    assert(outer >= 0 && axis >= 1);
    arg_job j = {kernels(), x, y, outer, axis, sx_max(1, CHUNK / axis), is_greatest ? SX_REDUCE_MAX : SX_REDUCE_MIN};
    sx_parallel_for(threads, sx_ceil_div(outer, j.rows_per_chunk), run_arg, &j);
}

typedef struct {
    const sx_reduce_kernels *kernels;
    const float *x;
    int64_t *y;
    int64_t axis, inner, column_blocks, units, units_per_chunk;
    bool is_greatest, is_last;
} arg_columns_job;

static void run_arg_columns(void *context, int64_t chunk, int worker) {
    (void)worker;
    const arg_columns_job *j = context;
    int64_t end = sx_min(j->units, (chunk + 1) * j->units_per_chunk);
    for (int64_t unit = chunk * j->units_per_chunk; unit < end; unit++) {
        int64_t o = unit / j->column_blocks, first = unit % j->column_blocks * SX_REDUCE_COLUMNS;
        j->kernels->arg_columns(
            j->x + o * j->axis * j->inner + first, j->y + o * j->inner + first, j->axis, j->inner,
            sx_min(SX_REDUCE_COLUMNS, j->inner - first), j->is_greatest, j->is_last);
    }
}

void sx_arg_extreme_columns(
    const float *x, int64_t *y, int64_t outer, int64_t axis, int64_t inner, bool is_greatest, bool is_last,
    int threads) {
    assert(outer >= 0 && axis >= 1 && axis <= INT32_MAX && inner >= 0);
    arg_columns_job j = {
        .kernels = kernels(), .x = x, .y = y, .axis = axis, .inner = inner,
        .column_blocks = sx_ceil_div(inner, SX_REDUCE_COLUMNS), .is_greatest = is_greatest, .is_last = is_last};
    j.units = outer * j.column_blocks;
    j.units_per_chunk = sx_max(1, CHUNK / (axis * sx_max(1, sx_min(inner, SX_REDUCE_COLUMNS))));
    sx_parallel_for(threads, sx_ceil_div(j.units, j.units_per_chunk), run_arg_columns, &j);
}
