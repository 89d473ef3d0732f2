#include "sx_attention.h"

#include <assert.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "../gemm/gemm_kernels.h"
#include "../gemm/pack.h"
#include "../softmax/softmax_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_gemm_kernels
#define SX_TABLE "../gemm/kernels.inc"
#include "../base/dispatch.h"

// A chunk is a block of rows of one head. It packs the head's keys and values into panels of 16 columns (a few percent
// of its products' time), then computes the block's products with all keys, their softmax in place, and the products
// with the values. Reductions are cut into blocks of K_BLOCK.

enum {
    K_BLOCK = 256,
    ROW_BLOCK = 112,
    SCORES = 128 << 10,  // floats of one block's products, so that they stay in L2
};

typedef struct {
    const sx_attention_args *args;
    const sx_gemm_kernels *gemm;
    const sx_move_kernels *move;
    const sx_softmax_kernels *softmax;
    float *scratch;
    int64_t row_blocks, worker_floats;
} job;

static int64_t panels(int64_t columns) { return sx_ceil_div(columns, SX_GEMM_PANEL); }
static int64_t score_stride(const sx_attention_args *g) { return panels(g->keys) * SX_GEMM_PANEL; }

static int64_t row_blocks(const sx_attention_args *g) {
    int64_t most = sx_max(SX_GEMM_MAX_TILE_ROWS, sx_min(ROW_BLOCK, SCORES / score_stride(g)));
    return sx_ceil_div(g->rows, most);
}

/// Scores, packed keys, packed values.
static bool worker_floats(const sx_attention_args *g, int64_t *floats) {
    int64_t rows = sx_ceil_div(g->rows, sx_max(row_blocks(g), 1)), sizes[3];
    if (__builtin_mul_overflow(rows, score_stride(g), &sizes[0]) ||
        __builtin_mul_overflow(score_stride(g), g->depth, &sizes[1]) ||
        __builtin_mul_overflow(panels(g->columns) * SX_GEMM_PANEL, g->keys, &sizes[2]))
        return false;
    *floats = 0;
    for (int i = 0; i < 3; i++)
        if (__builtin_add_overflow(*floats, sizes[i], floats)) return false;
    *floats = sx_round_up(*floats, 16);
    return true;
}

int64_t sx_attention_scratch_bytes(const sx_attention_args *args, int threads) {
    int64_t floats, bytes;
    if (!worker_floats(args, &floats)) return -1;
    return __builtin_mul_overflow(floats, sx_max(threads, 1) * (int64_t)sizeof(float), &bytes) ? -1 : bytes;
}

/// C [rows, columns] = alpha A B: A with row stride `a_row`, B in panels [k][16].
static void multiply(
    const job *j, const float *a, int64_t a_row, const float *b, int64_t k, float alpha, float *c, int64_t ldc,
    int64_t rows, int64_t columns) {
    int64_t tiles = sx_ceil_div(rows, j->gemm->tile_rows), k_blocks = sx_max(sx_ceil_div(k, K_BLOCK), 1);
    for (int64_t block = 0; block < k_blocks; block++) {
        int64_t k_begin = block * k / k_blocks, k_end = (block + 1) * k / k_blocks;
        for (int64_t n = 0; n < columns; n += j->gemm->tile_columns)
            for (int64_t tile = 0; tile < tiles; tile++) {
                int64_t begin = tile * rows / tiles, end = (tile + 1) * rows / tiles;
                int64_t width = sx_min(j->gemm->tile_columns, columns - n);
                sx_gemm_tile t = {
                    .a = a + begin * a_row + k_begin, .a_row = a_row, .a_step = 1,
                    .b = b + n * k + k_begin * SX_GEMM_PANEL, .b_row = SX_GEMM_PANEL,
                    .b_panel = width > SX_GEMM_PANEL ? k * SX_GEMM_PANEL : 0, .c = c + begin * ldc + n, .ldc = ldc,
                    .rows = end - begin, .columns = width, .k = k_end - k_begin, .alpha = alpha,
                    .accumulates = block > 0};
                j->gemm->tile(&t);
            }
    }
}

static void pack(const job *j, const float *k, const float *v, float *keys, float *values) {
    const sx_attention_args *g = j->args;
    bool by_rows = g->k_view.column_stride == 1;
    for (int64_t n = 0; n < g->keys; n += SX_GEMM_PANEL)
        sx_gemm_pack_panel(
            j->move, g->depth, sx_min(SX_GEMM_PANEL, g->keys - n), k + n * g->k_view.row_stride,
            by_rows ? g->k_view.row_stride : g->k_view.column_stride, by_rows, keys + n * g->depth);
    for (int64_t n = 0; n < g->columns; n += SX_GEMM_PANEL)
        sx_gemm_pack_panel(
            j->move, g->keys, sx_min(SX_GEMM_PANEL, g->columns - n), v + n, g->v_view.row_stride, false,
            values + n * g->keys);
}

static int64_t at(const sx_attention_view *view, int64_t batch, int64_t head, int64_t row) {
    return batch * view->batch_stride + head * view->head_stride + row * view->row_stride;
}

static void run(void *context, int64_t chunk, int worker) {
    const job *j = context;
    const sx_attention_args *g = j->args;
    int64_t block = chunk % j->row_blocks, head = chunk / j->row_blocks % g->heads;
    int64_t batch = chunk / j->row_blocks / g->heads;
    int64_t begin = block * g->rows / j->row_blocks, rows = (block + 1) * g->rows / j->row_blocks - begin;
    int64_t stride = score_stride(g);
    float *scores = j->scratch + worker * j->worker_floats;
    float *keys = scores + sx_ceil_div(g->rows, j->row_blocks) * stride;
    float *values = keys + stride * g->depth;
    pack(j, g->k + at(&g->k_view, batch, head, 0), g->v + at(&g->v_view, batch, head, 0), keys, values);
    multiply(
        j, g->q + at(&g->q_view, batch, head, begin), g->q_view.row_stride, keys, g->depth, g->scale, scores, stride,
        rows, g->keys);
    for (int64_t row = 0; row < rows; row++)
        j->softmax->row(scores + row * stride, scores + row * stride, g->keys, false);
    multiply(
        j, scores, stride, values, g->keys, 1.0f, g->y + at(&g->y_view, batch, head, begin), g->y_view.row_stride, rows,
        g->columns);
}

void sx_attention(const sx_attention_args *args, void *scratch, int threads) {
    assert(args->keys > 0 && args->q_view.column_stride == 1 && args->v_view.column_stride == 1);
    assert(args->y_view.column_stride == 1 && (args->k_view.column_stride == 1 || args->k_view.row_stride == 1));
    if (args->rows == 0 || args->columns == 0 || args->heads == 0) return;
    job j = {args, kernels(), sx_move_current(), sx_softmax_current(), scratch, row_blocks(args), 0};
    bool fits = worker_floats(args, &j.worker_floats);
    assert(fits);
    (void)fits;
    sx_parallel_for(threads, args->batch * args->heads * j.row_blocks, run, &j);
}
