#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "../base/sizes.h"
#include "gemm_kernels.h"
#include "sx_gemm.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_gemm_kernels
#define SX_TABLE "../gemm/kernels.inc"
#include "../base/dispatch.h"

// A block of B [K_BLOCK, columns] is packed into panels as wide as a tile and stays in L2 while the rows of A meet it,
// a tile of them packed at a time. So few rows that one tile holds them read the whole panels of B in place.
enum { K_BLOCK = 192, ROW_BLOCK = 252, COLUMN_BLOCK = 256, LEAST_COLUMNS = 64, SERIAL_MACS = 1 << 18 };

typedef struct {
    int64_t row_block, row_blocks, column_block, column_blocks, worker_doubles;
    int threads;
} plan;

typedef struct {
    const sx_gemm_f64_args *args;
    const sx_gemm_kernels *kernels;
    plan plan;
    double *scratch;
} job;

/// Only the blocks of K change what is added to what, and they depend on K alone.
static int64_t k_block(const sx_gemm_f64_args *g) {
    return sx_max(1, sx_ceil_div(g->k, sx_max(1, sx_ceil_div(g->k, K_BLOCK))));
}

static plan make_plan(const sx_gemm_f64_args *g, int threads) {
    plan p = {.column_block = COLUMN_BLOCK, .threads = threads};
    if ((double)g->m * (double)g->n * (double)g->k * (double)g->batch < SERIAL_MACS) p.threads = 1;
    p.row_blocks = sx_ceil_div(g->m, ROW_BLOCK);
    p.row_block = sx_ceil_div(g->m, sx_max(1, p.row_blocks));
    while (p.threads > 1 && p.column_block > LEAST_COLUMNS &&
           (double)g->batch * (double)p.row_blocks * (double)sx_ceil_div(g->n, p.column_block) < 8.0 * p.threads)
        p.column_block /= 2;
    p.column_block = sx_min(p.column_block, sx_round_up(g->n, SX_GEMM_MAX_TILE_COLUMNS / 2));
    p.column_blocks = sx_ceil_div(g->n, sx_max(1, p.column_block));
    p.worker_doubles = k_block(g) * (p.column_block + sx_round_up(SX_GEMM_MAX_TILE_ROWS, 8));
    return p;
}

int64_t sx_gemm_f64_scratch_bytes(const sx_gemm_f64_args *args, int threads) {
    // Fewer threads take wider blocks.
    int64_t most = 0;
    for (int count = 1; count <= sx_max(threads, 1); count++)
        most = sx_max(most, make_plan(args, count).worker_doubles * count);
    return most * (int64_t)sizeof(double);
}

/// `count` lines of `length` at `step` elements, `stride` apart, into [length][width]; lines from `count` on are zero.
static void pack(
    const double *from, int64_t stride, int64_t step, int64_t count, int64_t length, int64_t width, double *to) {
    for (int64_t p = 0; p < length && count < width; p++)
        memset(to + p * width + count, 0, (size_t)(width - count) * sizeof(double));
    if (stride == 1)
        for (int64_t p = 0; p < length; p++) memcpy(to + p * width, from + p * step, (size_t)count * sizeof(double));
    else
        for (int64_t i = 0; i < count; i++)
            for (int64_t p = 0; p < length; p++) to[p * width + i] = from[i * stride + p * step];
}

static const double *a_at(const sx_gemm_f64_args *g, int64_t batch, int64_t row, int64_t k) {
    return g->a + batch * g->batch_stride_a + (g->transpose_a ? k * g->lda + row : row * g->lda + k);
}

static const double *b_at(const sx_gemm_f64_args *g, int64_t batch, int64_t k, int64_t column) {
    return g->b + batch * g->batch_stride_b + (g->transpose_b ? column * g->ldb + k : k * g->ldb + column);
}

/// A chunk: rows and columns of C, and its worker's memory.
typedef struct {
    int64_t batch, row, rows, column, columns;
    double *a, *b;
} block;

static void multiply(const job *j, const block *b, int64_t k, int64_t depth) {
    const sx_gemm_f64_args *g = j->args;
    int64_t tile_rows = j->kernels->tile_rows, width = j->kernels->tile_columns / 2;
    bool packs_b = g->m > tile_rows || g->transpose_b;
    for (int64_t n = 0; n < b->columns; n += width)
        if (packs_b || b->columns - n < width)
            pack(
                b_at(g, b->batch, k, b->column + n), g->transpose_b ? g->ldb : 1, g->transpose_b ? 1 : g->ldb,
                sx_min(width, b->columns - n), depth, width, b->b + n * depth);
    sx_gemm_f64_tile t = {.k = depth, .ldc = g->ldc, .alpha = g->alpha, .beta = k == 0 ? g->beta : 1.0, .a = b->a};
    for (int64_t m = 0; m < b->rows; m += tile_rows) {
        t.rows = sx_min(tile_rows, b->rows - m);
        pack(
            a_at(g, b->batch, b->row + m, k), g->transpose_a ? 1 : g->lda, g->transpose_a ? g->lda : 1, t.rows, depth,
            tile_rows, b->a);
        for (int64_t n = 0; n < b->columns; n += width) {
            t.columns = sx_min(width, b->columns - n);
            bool in_place = !packs_b && t.columns == width;
            t.b = in_place ? b_at(g, b->batch, k, b->column + n) : b->b + n * depth;
            t.b_row = in_place ? g->ldb : width;
            t.c = g->c + b->batch * g->batch_stride_c + (b->row + m) * g->ldc + b->column + n;
            j->kernels->double_tile(&t);
        }
    }
}

static void run(void *context, int64_t chunk, int worker) {
    const job *j = context;
    const sx_gemm_f64_args *g = j->args;
    const plan *p = &j->plan;
    block b = {.row = chunk / p->column_blocks % p->row_blocks * p->row_block,
               .column = chunk % p->column_blocks * p->column_block,
               .batch = chunk / p->column_blocks / p->row_blocks,
               .b = j->scratch + worker * p->worker_doubles};
    int64_t step = k_block(g);
    b.rows = sx_min(p->row_block, g->m - b.row);
    b.columns = sx_min(p->column_block, g->n - b.column);
    b.a = b.b + step * p->column_block;
    multiply(j, &b, 0, sx_min(step, g->k));
    for (int64_t k = step; k < g->k; k += step) multiply(j, &b, k, sx_min(step, g->k - k));
}

void sx_gemm_f64(const sx_gemm_f64_args *args, void *scratch, int threads) {
    assert(args->m >= 0 && args->n >= 0 && args->k >= 0 && args->batch >= 0);
    if (args->m == 0 || args->n == 0) return;
    job j = {args, kernels(), make_plan(args, threads), scratch};
    sx_parallel_for(j.plan.threads, args->batch * j.plan.row_blocks * j.plan.column_blocks, run, &j);
}
