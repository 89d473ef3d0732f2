#include "sx_binary.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "../base/sizes.h"
#include "../base/strided.h"
#include "binary_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_binary_kernels
#define SX_TABLE "../binary/kernels.inc"
#include "../base/dispatch.h"

enum { A, B, Y, OPERANDS, CHUNK = 16384 };

/// A chunk is `tiles_per_chunk` tiles of the nest.
typedef struct {
    const sx_binary_kernels *kernels;
    sx_binary_op op;
    const float *a, *b;
    float *y;
    sx_nest nest;
    int64_t tiles_per_chunk;
} job;

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    const sx_nest *nest = &j->nest;
    int row = nest->rank - 2, column = nest->rank - 1;
    int64_t end = sx_min(nest->tiles, (chunk + 1) * j->tiles_per_chunk);
    for (int64_t index = chunk * j->tiles_per_chunk; index < end; index++) {
        sx_nest_tile tile = sx_nest_at(nest, index);
        sx_binary_plane plane = {
            j->a + tile.offset[A], j->b + tile.offset[B], j->y + tile.offset[Y], tile.rows, tile.columns,
            nest->stride[A][row], nest->stride[A][column], nest->stride[B][row], nest->stride[B][column],
            nest->stride[Y][row]};
        j->kernels->plane(j->op, &plane);
    }
}

void sx_binary(
    sx_binary_op op, const float *a, const float *b, float *y, int rank, const int64_t *dims,
    const int64_t *stride_a, const int64_t *stride_b, int threads) {
    assert(op < SX_BINARY_COUNT && rank >= 0 && rank <= SX_BINARY_MAX_RANK);
    job j = {.kernels = kernels(), .op = op, .a = a, .b = b, .y = y, .nest = {.operands = OPERANDS}};
    sx_nest *nest = &j.nest;
    int64_t total = 1;
    for (int d = rank - 1; d >= 0; d--) {
        nest->dims[d] = dims[d];
        nest->stride[A][d] = stride_a[d];
        nest->stride[B][d] = stride_b[d];
        nest->stride[Y][d] = total;
        total *= dims[d];
    }
    if (total == 0) return;
    nest->rank = sx_collapse(rank, nest->dims, OPERANDS, nest->stride);
    sx_nest_widen(nest);
    int64_t columns = sx_min(nest->dims[nest->rank - 1], CHUNK);
    sx_nest_cut(nest, sx_max(1, CHUNK / columns), columns);
    j.tiles_per_chunk = sx_max(1, CHUNK / (nest->row_block * nest->column_block));
    sx_parallel_for(threads, sx_ceil_div(nest->tiles, j.tiles_per_chunk), run, &j);
}
