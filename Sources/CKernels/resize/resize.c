#include "sx_resize.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "../base/sizes.h"
#include "resize_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_resize_kernels
#define SX_TABLE "../resize/kernels.inc"
#include "../base/dispatch.h"

enum { CHUNK = 8192 };

typedef struct {
    const sx_resize_kernels *kernels;
    const float *x;
    float *y;
    int64_t in_height, in_width, out_height, out_width, rows, rows_per_chunk;
    int lanes, is_twice;
    sx_resize_table row_table, column_table;
} job;

static sx_resize_taps taps_at(sx_resize_table table, int64_t o) {
    return (sx_resize_taps){
        table.taps, table.index + o * table.taps, table.weight ? table.weight + o * table.taps : NULL};
}

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t row = chunk * j->rows_per_chunk; row < end; row++) {
        const float *plane = j->x + row / j->out_height * j->in_height * j->in_width * j->lanes;
        float *y = j->y + row * j->out_width * j->lanes;
        sx_resize_taps taps = taps_at(j->row_table, row % j->out_height);
        // Upsampling to the nearest makes the same row several times.
        int has_previous = row > chunk * j->rows_per_chunk && row % j->out_height > 0;
        if (has_previous && taps.taps == 1 && taps.index[-1] == taps.index[0] &&
            (!taps.weight || taps.weight[-1] == taps.weight[0])) {
            memcpy(y, y - j->out_width * j->lanes, (size_t)(j->out_width * j->lanes) * sizeof *y);
            continue;
        }
        if (j->is_twice && taps.taps == 1 && (!taps.weight || taps.weight[0] == 1.0f)) {
            j->kernels->twice(plane + taps.index[0] * j->in_width, y, j->in_width);
            continue;
        }
        (j->lanes == 16 ? j->kernels->blocked : j->kernels->plain)(
            plane, j->in_width, y, j->out_width, taps, j->column_table);
    }
}

/// Whether every source column comes twice, next to each other.
static int comes_twice(sx_resize_table table, int64_t in, int64_t out) {
    if (table.taps != 1 || out != 2 * in) return 0;
    for (int64_t o = 0; o < out; o++)
        if (table.index[o] != o / 2 || (table.weight && table.weight[o] != 1.0f)) return 0;
    return 1;
}

/// Runs `body` on chunks of output rows, each chunk about CHUNK elements.
static void for_rows(job *j, int64_t rows, int64_t row_elements, sx_chunk_body body, int threads) {
    if (rows == 0 || row_elements == 0) return;
    j->rows = rows;
    j->rows_per_chunk = sx_max(1, CHUNK / row_elements);
    sx_parallel_for(threads, sx_ceil_div(rows, j->rows_per_chunk), body, j);
}

void sx_resize_2d(
    const float *x, float *y, int64_t planes, int64_t in_height, int64_t in_width, int64_t out_height,
    int64_t out_width, int lanes, sx_resize_table rows, sx_resize_table columns, int threads) {
    assert((lanes == 1 || lanes == 16) && rows.taps >= 1 && columns.taps >= 1);
    int is_twice = lanes == 1 && comes_twice(columns, in_width, out_width);
    job j = {kernels(), x, y, in_height, in_width, out_height, out_width, 0, 0, lanes, is_twice, rows, columns};
    for_rows(&j, planes * out_height, out_width * lanes, run, threads);
}

/// The axis takes the place of the height, `inner` that of the width.
static void run_blend(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t row = chunk * j->rows_per_chunk; row < end; row++)
        j->kernels->blend(
            j->x + row / j->out_height * j->in_height * j->in_width, j->y + row * j->in_width, j->in_width,
            taps_at(j->row_table, row % j->out_height));
}

void sx_resize_axis(
    const float *x, float *y, int64_t outer, int64_t in, int64_t out, int64_t inner, sx_resize_table table,
    int threads) {
    assert(table.taps >= 1);
    if (inner == 1) {
        static const int32_t only_row[] = {0};
        sx_resize_2d(x, y, outer, 1, in, 1, out, 1, (sx_resize_table){1, only_row, NULL}, table, threads);
        return;
    }
    job j = {kernels(), x, y, in, inner, out, inner, 0, 0, 1, 0, table, table};
    for_rows(&j, outer * out, inner, run_blend, threads);
}
