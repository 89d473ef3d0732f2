#include "sx_gemm.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "../unary/unary_kernels.h"
#include "gemm_kernels.h"
#include "pack.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_gemm_kernels
#define SX_TABLE "../gemm/kernels.inc"
#include "../base/dispatch.h"

// The panels of B that a tile is wide, k_block deep, stay in L1 or L2 while all rows of a block of A meet it; the rows are read where they lie
// and stay in L2, as does the next panel, which is fetched meanwhile. Packed are a B that is no constant (per chunk),
// a transposed A, and an A whose rows would fall on the same lines of L1. Few rows use B about once: with packed B
// the reduction is not cut, else B is read in place, 64 rows at a time.
enum {
    FEW_ROWS_K_BLOCK = 64,
    FEW_ROWS = 14,
    ROW_BLOCK = 252,
    COLUMN_BLOCK = 512,
    IN_PLACE_BYTES = 256 << 10,
    LINES_ALIAS = 1024  // floats between addresses that share a line of L1
};
/// Below this many multiply-adds a second thread costs more than it brings.
enum { SERIAL_MACS = 1 << 19 };

/// How the work is cut. Only K blocks change what is added to what, and they do not depend on the threads.
typedef struct {
    int64_t row_block, column_block, k_block, row_blocks, column_blocks, a_floats, b_floats;
    bool packs_a, packs_b;
    int threads;
} plan;

typedef struct {
    const sx_gemm_args *args;
    const sx_gemm_kernels *kernels;
    const sx_move_kernels *move;
    plan plan;
    float *scratch;
} job;

static plan make_plan(const sx_gemm_args *g, int tile_rows, int64_t k_block, int threads) {
    plan p = {.column_block = COLUMN_BLOCK, .threads = threads};
    if ((double)g->m * (double)g->n * (double)g->k * (double)g->batch < SERIAL_MACS) p.threads = 1;
    bool few_rows = g->m <= FEW_ROWS;
    bool small_b = (double)g->k * (double)g->ldb * sizeof(float) <= IN_PLACE_BYTES;
    p.packs_a = g->transpose_a || (g->lda % LINES_ALIAS == 0 && !few_rows);
    p.packs_b = !g->packed_b && (g->transpose_b || !(few_rows || small_b));
    int64_t most = !few_rows ? k_block : g->packed_b ? sx_max(g->k, 1) : FEW_ROWS_K_BLOCK;
    p.k_block = sx_max(1, sx_ceil_div(g->k, sx_max(1, sx_ceil_div(g->k, most))));
    p.row_block = sx_ceil_div(sx_max(g->m, 1), sx_ceil_div(sx_max(g->m, 1), ROW_BLOCK));
    p.row_blocks = sx_ceil_div(g->m, p.row_block);
    // Eight chunks a thread let a delayed thread be helped; narrower blocks read A more often.
    while (p.threads > 1 && p.column_block > SX_GEMM_MAX_TILE_COLUMNS &&
           (double)g->batch * (double)p.row_blocks * (double)sx_ceil_div(g->n, p.column_block) < 8.0 * p.threads)
        p.column_block /= 2;
    p.column_block = sx_min(p.column_block, sx_round_up(sx_max(g->n, 1), SX_GEMM_MAX_TILE_COLUMNS));
    p.column_blocks = sx_ceil_div(g->n, p.column_block);
    // Multiples of 16 floats keep every part on its own cache lines.
    p.a_floats = p.packs_a ? sx_round_up(sx_round_up(p.row_block, tile_rows) * p.k_block, 16) : 0;
    p.b_floats = g->packed_b ? 0 : p.k_block * (p.packs_b ? p.column_block : SX_GEMM_MAX_TILE_COLUMNS);
    return p;
}

int64_t sx_gemm_scratch_bytes(const sx_gemm_args *args, int threads) {
    // ISA levels differ in the height of tiles and the depth of blocks; take room for any.
    int64_t most = 0;
    for (int rows = 1; rows <= SX_GEMM_MAX_TILE_ROWS; rows++) {
        plan p = make_plan(args, rows, SX_GEMM_MAX_K_BLOCK, threads);
        most = sx_max(most, p.a_floats + p.b_floats);
    }
    return most * (int64_t)sizeof(float) * sx_max(threads, 1);
}

int64_t sx_gemm_packed_bytes(int64_t k, int64_t n) {
    int64_t bytes = 0, panels = n / SX_GEMM_PANEL + (n % SX_GEMM_PANEL != 0);
    if (k < 0 || n < 0 || __builtin_mul_overflow(panels, SX_GEMM_PANEL * (int64_t)sizeof(float), &bytes) ||
        __builtin_mul_overflow(bytes, k, &bytes))
        return -1;
    return bytes;
}

typedef struct {
    const sx_move_kernels *move;
    int64_t k, n, ldb;
    const float *b;
    bool transposed;
    float *packed;
} pack_job;

static void run_pack(void *context, int64_t panel, int worker) {
    (void)worker;
    const pack_job *j = context;
    int64_t column = panel * SX_GEMM_PANEL;
    const float *b = j->b + (j->transposed ? column * j->ldb : column);
    sx_gemm_pack_panel(
        j->move, j->k, sx_min(SX_GEMM_PANEL, j->n - column), b, j->ldb, j->transposed,
        j->packed + panel * j->k * SX_GEMM_PANEL);
}

void sx_gemm_pack_b(
    int64_t k, int64_t n, const float *b, int64_t ldb, bool transposed, void *packed, int threads) {
    assert(k >= 0 && n >= 0);
    pack_job j = {sx_move_current(), k, n, ldb, b, transposed, packed};
    sx_parallel_for(threads, sx_ceil_div(n, SX_GEMM_PANEL), run_pack, &j);
}

/// One chunk's part of C and where its operands are.
typedef struct {
    int64_t batch, row, column, rows, columns;
    float *c, *a_scratch, *b_scratch;
    bool fuses_bias, fuses_activation;  ///< done by the tiles
} block;

static const float *a_at(const sx_gemm_args *g, int64_t batch, int64_t row, int64_t k) {
    return g->a + batch * g->batch_stride_a + (g->transpose_a ? k * g->lda + row : row * g->lda + k);
}

static const float *b_at(const sx_gemm_args *g, int64_t batch, int64_t k, int64_t column) {
    return g->b + batch * g->batch_stride_b + (g->transpose_b ? column * g->ldb + k : k * g->ldb + column);
}

static const float *bias_at(const sx_gemm_args *g, int64_t batch, int64_t row, int64_t column) {
    return g->bias + batch * g->bias_batch_stride + row * g->bias_row_stride + column * g->bias_column_stride;
}

static bool clips(sx_unary_op op) {
    return op == SX_UNARY_IDENTITY || op == SX_UNARY_RELU || op == SX_UNARY_CLIP;
}

/// Whether the tiles can add the bias: one of rows or columns, or none.
static bool can_fuse_bias(const sx_gemm_args *g) {
    if (g->k == 0) return false;
    return !g->bias || (g->beta == 1.0f && (g->bias_column_stride == 0 ||
                                            (g->bias_column_stride == 1 && g->bias_row_stride == 0)));
}

static sx_gemm_epilogue make_epilogue(const sx_gemm_args *g, const block *b, int64_t row, int64_t column) {
    sx_gemm_epilogue e = {NULL, NULL, g->bias_row_stride, -INFINITY, INFINITY};
    if (b->fuses_activation && g->activation.op == SX_UNARY_RELU) e.low = 0.0f;
    if (b->fuses_activation && g->activation.op == SX_UNARY_CLIP) {
        e.low = g->activation.a;
        e.high = g->activation.b;
    }
    if (g->bias && g->bias_column_stride == 1) e.column_bias = bias_at(g, b->batch, 0, column);
    if (g->bias && g->bias_column_stride == 0) e.row_bias = bias_at(g, b->batch, row, 0);
    return e;
}

/// Lets a tile read `columns` of B at `column` (inside the block) for K from `k` on: packed before, packed now, or in
/// place.
static void set_b(const job *j, const block *b, int64_t k, int64_t column, int64_t columns, sx_gemm_tile *t) {
    const sx_gemm_args *g = j->args;
    t->columns = columns;
    t->b_row = SX_GEMM_PANEL;
    if (g->packed_b) {
        t->b = (const float *)g->packed_b + (b->column + column) * g->k + k * SX_GEMM_PANEL;
        t->b_panel = g->k * SX_GEMM_PANEL;
    } else if (j->plan.packs_b) {
        t->b = b->b_scratch + column * t->k;
        t->b_panel = t->k * SX_GEMM_PANEL;
    } else if (columns % SX_GEMM_PANEL == 0) {
        t->b = b_at(g, b->batch, k, b->column + column);
        t->b_row = g->ldb;
        t->b_panel = SX_GEMM_PANEL;
    } else {
        for (int64_t n = 0; n < columns; n += SX_GEMM_PANEL)
            sx_gemm_pack_panel(
                j->move, t->k, sx_min(SX_GEMM_PANEL, columns - n), b_at(g, b->batch, k, b->column + column + n), g->ldb,
                false, b->b_scratch + n * t->k);
        t->b = b->b_scratch;
        t->b_panel = t->k * SX_GEMM_PANEL;
    }
    if (columns <= SX_GEMM_PANEL) t->b_panel = 0;  // a wider tile reads what it has again
}

/// Lines of B that one tile fetches, so that all of them fetch what the next ones of the block read; packed B only.
typedef struct {
    const float *start;
    int64_t panel, panel_lines, tile_lines;
} fetch;

static fetch fetch_after(const job *j, const block *b, int64_t column, int64_t tiles, const sx_gemm_tile *t) {
    int64_t next = column + j->kernels->tile_columns;
    if (!j->args->packed_b || next >= b->columns) return (fetch){t->b};
    int64_t panels = sx_ceil_div(sx_min(j->kernels->tile_columns, b->columns - next), SX_GEMM_PANEL);
    int64_t panel = j->args->k * SX_GEMM_PANEL;
    return (fetch){t->b + j->kernels->tile_columns * j->args->k, panel, t->k, sx_ceil_div(panels * t->k, tiles)};
}

static const float *fetch_at(const fetch *f, int64_t tile) {
    if (f->tile_lines == 0) return f->start;
    int64_t line = tile * f->tile_lines;
    return f->start + line / f->panel_lines * f->panel + line % f->panel_lines * SX_GEMM_PANEL;
}

/// The first row of a tile: all tiles have nearly the same size.
static int64_t tile_row(const block *b, int64_t tile, int64_t tiles) { return tile * b->rows / tiles; }

static void pack_block(const job *j, const block *b, int64_t k, int64_t depth, int64_t tiles) {
    const sx_gemm_args *g = j->args;
    int tile_rows = j->kernels->tile_rows;
    for (int64_t n = 0; j->plan.packs_b && n < b->columns; n += SX_GEMM_PANEL)
        sx_gemm_pack_panel(
            j->move, depth, sx_min(SX_GEMM_PANEL, b->columns - n), b_at(g, b->batch, k, b->column + n), g->ldb,
            g->transpose_b, b->b_scratch + n * depth);
    for (int64_t tile = 0; j->plan.packs_a && tile < tiles; tile++) {
        int64_t m = tile_row(b, tile, tiles);
        sx_gemm_pack_a(
            j->move, depth, tile_row(b, tile + 1, tiles) - m, a_at(g, b->batch, b->row + m, k), g->lda,
            g->transpose_a, tile_rows, b->a_scratch + tile * tile_rows * depth);
    }
}

static void multiply(const job *j, const block *b, int64_t k, int64_t depth) {
    const sx_gemm_args *g = j->args;
    int tile_rows = j->kernels->tile_rows;
    int64_t tiles = sx_ceil_div(b->rows, tile_rows);
    pack_block(j, b, k, depth, tiles);
    sx_gemm_tile t = {
        .ldc = g->ldc, .k = depth, .alpha = g->alpha, .accumulates = k > 0,
        .a_row = j->plan.packs_a ? 1 : g->lda, .a_step = j->plan.packs_a ? tile_rows : 1};
    for (int64_t n = 0; n < b->columns; n += j->kernels->tile_columns) {
        set_b(j, b, k, n, sx_min(j->kernels->tile_columns, b->columns - n), &t);
        const fetch next = fetch_after(j, b, n, tiles, &t);
        t.ahead_lines = sx_ceil_div(next.tile_lines, sx_ceil_div(depth, 16));
        for (int64_t tile = 0; tile < tiles; tile++) {
            int64_t m = tile_row(b, tile, tiles);
            sx_gemm_epilogue epilogue = make_epilogue(g, b, b->row + m, b->column + n);
            t.rows = tile_row(b, tile + 1, tiles) - m;
            t.a = j->plan.packs_a ? b->a_scratch + tile * tile_rows * depth : a_at(g, b->batch, b->row + m, k);
            t.c = b->c + m * g->ldc + n;
            t.ahead = fetch_at(&next, tile);
            t.epilogue = k + depth == g->k && b->fuses_bias ? &epilogue : NULL;
            j->kernels->tile(&t);
        }
    }
}

/// Bias and activation where the tiles could not do them.
static void finish(const job *j, const block *b) {
    const sx_gemm_args *g = j->args;
    const sx_unary_kernels *unary = sx_unary_current();
    for (int64_t m = 0; m < b->rows; m++) {
        float *c = b->c + m * g->ldc;
        if (g->bias && !b->fuses_bias)
            j->kernels->add_bias(
                c, b->columns, g->beta, bias_at(g, b->batch, b->row + m, b->column), g->bias_column_stride);
        if (g->activation.op != SX_UNARY_IDENTITY) unary->row(g->activation, c, c, b->columns);
    }
}

static void run(void *context, int64_t chunk, int worker) {
    const job *j = context;
    const sx_gemm_args *g = j->args;
    const plan *p = &j->plan;
    block b = {.row = chunk / p->column_blocks % p->row_blocks * p->row_block,
               .column = chunk % p->column_blocks * p->column_block,
               .batch = chunk / p->column_blocks / p->row_blocks,
               .fuses_bias = can_fuse_bias(g)};
    b.fuses_activation = b.fuses_bias && clips(g->activation.op);
    b.rows = sx_min(p->row_block, g->m - b.row);
    b.columns = sx_min(p->column_block, g->n - b.column);
    b.c = g->c + b.batch * g->batch_stride_c + b.row * g->ldc + b.column;
    b.a_scratch = j->scratch + worker * (p->a_floats + p->b_floats);
    b.b_scratch = b.a_scratch + p->a_floats;
    for (int64_t k = 0; k < g->k; k += p->k_block) multiply(j, &b, k, sx_min(p->k_block, g->k - k));
    if (g->k == 0)
        for (int64_t m = 0; m < b.rows; m++) memset(b.c + m * g->ldc, 0, (size_t)b.columns * sizeof(float));
    if (!b.fuses_activation) finish(j, &b);
}

void sx_gemm(const sx_gemm_args *args, void *scratch, int threads) {
    assert(args->m >= 0 && args->n >= 0 && args->k >= 0 && args->batch >= 0);
    if (args->m == 0 || args->n == 0) return;
    const sx_gemm_kernels *chosen = kernels();
    job j = {args, chosen, sx_move_current(), make_plan(args, chosen->tile_rows, chosen->k_block, threads), scratch};
    sx_parallel_for(j.plan.threads, args->batch * j.plan.row_blocks * j.plan.column_blocks, run, &j);
}
