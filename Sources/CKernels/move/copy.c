#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../base/strided.h"
#include "move_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_move_kernels
#define SX_TABLE "../move/kernels.inc"
#include "../base/dispatch.h"

enum { SRC, DST, OPERANDS, CHUNK_BYTES = 65536, TRANSPOSE_BLOCK = 64, FEWEST_LANES = 8 };

/// Two dimensions of a copy; strides in elements.
typedef struct {
    const char *src;
    char *dst;
    int64_t rows, columns, src_row, src_column, dst_row, dst_column;
} plane;

typedef struct {
    const sx_move_kernels *kernels;
    const char *src;
    char *dst;
    int size;
    sx_nest nest;
    int64_t tiles_per_chunk;
} job;

const sx_move_kernels *sx_move_current(void) { return kernels(); }

/// Inlined with constants where it can be: every row is one element repeated when the column steps are 0 and 1.
static inline __attribute__((always_inline)) void copy_elements(
    const plane *p, int size, int64_t src_column, int64_t dst_column) {
    for (int64_t i = 0; i < p->rows; i++) {
        const char *src = p->src + i * p->src_row * size;
        char *dst = p->dst + i * p->dst_row * size;
        for (int64_t j = 0; j < p->columns; j++)
            memcpy(dst + j * dst_column * size, src + j * src_column * size, (size_t)size);
    }
}

static inline __attribute__((always_inline)) void copy_any(
    const plane *p, int size, int64_t src_column, int64_t dst_column) {
    switch (size) {
    case 1: copy_elements(p, 1, src_column, dst_column); break;
    case 2: copy_elements(p, 2, src_column, dst_column); break;
    case 4: copy_elements(p, 4, src_column, dst_column); break;
    case 8: copy_elements(p, 8, src_column, dst_column); break;
    case 16: copy_elements(p, 16, src_column, dst_column); break;
    default: assert(!"element size");
    }
}

/// The longer dimension becomes the inner loop.
static void lengthen_rows(plane *p) {
    if (p->columns >= FEWEST_LANES || p->rows <= p->columns) return;
    *p = (plane){p->src,        p->dst,     p->columns,    p->rows,
                 p->src_column, p->src_row, p->dst_column, p->dst_row};
}

static void copy_plane(const sx_move_kernels *kernels, plane *p, int size) {
    if (p->src_column == 1 && p->dst_column == 1) {
        for (int64_t i = 0; i < p->rows; i++)
            memcpy(p->dst + i * p->dst_row * size, p->src + i * p->src_row * size, (size_t)(p->columns * size));
        return;
    }
    if (p->src_column == 0 && p->dst_column == 1) {
        copy_any(p, size, 0, 1);
        return;
    }
    if (size == 4 && p->src_row == 1 && p->dst_column == 1 && sx_min(p->rows, p->columns) >= FEWEST_LANES) {
        kernels->transpose32(p->src, p->src_column, p->dst, p->dst_row, p->columns, p->rows);
        return;
    }
    lengthen_rows(p);
    copy_any(p, size, p->src_column, p->dst_column);
}

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    const sx_nest *nest = &j->nest;
    int row = nest->rank - 2, column = nest->rank - 1;
    int64_t end = sx_min(nest->tiles, (chunk + 1) * j->tiles_per_chunk);
    for (int64_t index = chunk * j->tiles_per_chunk; index < end; index++) {
        sx_nest_tile tile = sx_nest_at(nest, index);
        plane p = {
            j->src + tile.offset[SRC] * j->size, j->dst + tile.offset[DST] * j->size, tile.rows, tile.columns,
            nest->stride[SRC][row], nest->stride[SRC][column], nest->stride[DST][row], nest->stride[DST][column]};
        copy_plane(j->kernels, &p, j->size);
    }
}

static void swap_dimensions(sx_nest *nest, int a, int b) {
    int64_t dim = nest->dims[a];
    nest->dims[a] = nest->dims[b];
    nest->dims[b] = dim;
    for (int o = 0; o < OPERANDS; o++) {
        int64_t stride = nest->stride[o][a];
        nest->stride[o][a] = nest->stride[o][b];
        nest->stride[o][b] = stride;
    }
}

/// Outermost the largest destination stride, so that dimensions merge and the inner loop writes in order.
static void sort_by_destination(sx_nest *nest) {
    for (int d = 1; d < nest->rank; d++)
        for (int e = d; e > 0 && llabs(nest->stride[DST][e - 1]) < llabs(nest->stride[DST][e]); e--)
            swap_dimensions(nest, e - 1, e);
}

/// Short contiguous runs become one wider element, so that for example pairs of floats transpose as 8-byte elements.
static void widen_elements(sx_nest *nest, int *size) {
    int last = nest->rank - 1;
    int64_t run = nest->dims[last], bytes = run * *size;
    if (nest->rank < 2 || nest->stride[SRC][last] != 1 || nest->stride[DST][last] != 1) return;
    if (bytes != 2 && bytes != 4 && bytes != 8 && bytes != 16) return;
    for (int d = 0; d < last; d++)
        if (nest->stride[SRC][d] % run != 0 || nest->stride[DST][d] % run != 0) return;
    for (int d = 0; d < last; d++) {
        nest->stride[SRC][d] /= run;
        nest->stride[DST][d] /= run;
    }
    nest->rank = last;
    *size = (int)bytes;
}

/// Brings the dimension along which the source is contiguous next to the innermost one.
static bool find_transpose(sx_nest *nest) {
    int last = nest->rank - 1;
    if (nest->stride[SRC][last] == 1) return false;
    for (int d = 0; d < last; d++)
        if (nest->stride[SRC][d] == 1 && nest->dims[d] > 1) {
            for (; d < last - 1; d++) swap_dimensions(nest, d, d + 1);
            return true;
        }
    return false;
}

void sx_copy_strided(
    const void *src, void *dst, int rank, const int64_t *dims, const int64_t *src_strides,
    const int64_t *dst_strides, int element_size, int threads) {
    assert(rank >= 0 && rank <= SX_COPY_MAX_RANK);
    job j = {.kernels = kernels(), .src = src, .dst = dst, .size = element_size, .nest = {.operands = OPERANDS}};
    sx_nest *nest = &j.nest;
    for (int d = 0; d < rank; d++) {
        if (dims[d] == 0) return;
        if (dims[d] == 1) continue;
        nest->dims[nest->rank] = dims[d];
        nest->stride[SRC][nest->rank] = src_strides[d];
        nest->stride[DST][nest->rank++] = dst_strides[d];
    }
    sort_by_destination(nest);
    nest->rank = sx_collapse(nest->rank, nest->dims, OPERANDS, nest->stride);
    widen_elements(nest, &j.size);
    bool transpose = find_transpose(nest);
    sx_nest_widen(nest);
    if (transpose) {
        sx_nest_cut(nest, TRANSPOSE_BLOCK, TRANSPOSE_BLOCK);
    } else {
        int64_t columns = sx_min(nest->dims[nest->rank - 1], CHUNK_BYTES / j.size);
        sx_nest_cut(nest, sx_max(1, CHUNK_BYTES / j.size / columns), columns);
    }
    j.tiles_per_chunk = sx_max(1, CHUNK_BYTES / (nest->row_block * nest->column_block * j.size));
    sx_parallel_for(threads, sx_ceil_div(nest->tiles, j.tiles_per_chunk), run, &j);
}
