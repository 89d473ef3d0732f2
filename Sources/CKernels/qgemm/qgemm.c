#include "sx_qgemm.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "../base/sizes.h"
#include "qgemm_image.h"
#include "qgemm_kernels.h"
#include "qgemm_pack.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_qgemm_kernels
#define SX_TABLE "../qgemm/kernels.inc"
#include "../base/dispatch.h"

// A chunk is a block of C. It goes through K in blocks whose part of A and of B, packed, stay in L2, a tile's panels of
// B in L1. The sums of the block stay in scratch until they are whole and leave as what is wanted.
enum {
    ROW_BLOCK = 192,
    COLUMN_BLOCK = 256,
    K_BLOCK = 512,
    SUM_ROW = COLUMN_BLOCK + 16,  // rows of sums fall on different lines of L1
    A_ROW = K_BLOCK + 32,
    MAX_TAPS = 64,
    /// Below this many multiply-adds a second thread costs more than it brings.
    SERIAL_MACS = 1 << 18
};

typedef struct {
    int16_t a[ROW_BLOCK * A_ROW];
    int16_t b[COLUMN_BLOCK * K_BLOCK];
    int16_t rows[2 * COLUMN_BLOCK];
    int32_t sums[ROW_BLOCK * SUM_ROW];
    float values[COLUMN_BLOCK];
} block_scratch;

typedef struct {
    const sx_qgemm_args *args;
    const sx_qgemm_kernels *kernels;
    block_scratch *scratch;
    sx_qgemm_patches patches;
    int64_t row_block, column_block, row_blocks, column_blocks;
} job;

typedef struct {
    int64_t image, group, row, column, rows, columns;
    block_scratch *scratch;
} block;

int64_t sx_qgemm_scratch_bytes(const sx_qgemm_args *args, int threads) {
    int64_t bytes = (int64_t)sizeof(block_scratch) * sx_max(threads, 1), image = 0;
    if (!args->image) return bytes;
    sx_qgemm_patches patches;
    if (!sx_qgemm_set_patches(&patches, args->image, args->images * args->groups)) return -1;
    image = sx_qgemm_patches_bytes(&patches);
    return image < 0 ? -1 : bytes + image;
}

/// A's rows of the block for `depth` of K from `k` on, and how far apart they are.
static const int16_t *a_rows(const job *j, const block *b, int64_t k, int64_t depth, int64_t *a_row) {
    const sx_qgemm_args *g = j->args;
    int64_t first = b->group * g->m + b->row;
    if (g->packed_a) {
        *a_row = sx_qgemm_row_elements(g->k);
        return (const int16_t *)g->packed_a + first * *a_row + k;
    }
    *a_row = A_ROW;
    for (int64_t i = 0; i < b->rows; i++)
        sx_qgemm_widen_a(j->kernels, &g->a, first + i, k, depth, b->scratch->a + i * A_ROW);
    return b->scratch->a;
}

/// B's panels of the block.
static const int16_t *b_panels(const job *j, const block *b, int64_t k, int64_t depth, int64_t *b_panel) {
    const sx_qgemm_args *g = j->args;
    if (g->packed_b) {
        *b_panel = sx_round_up(g->k, 2) * SX_QGEMM_PANEL;
        return (const int16_t *)g->packed_b + b->column / SX_QGEMM_PANEL * *b_panel + k * SX_QGEMM_PANEL;
    }
    *b_panel = sx_round_up(depth, 2) * SX_QGEMM_PANEL;
    int16_t *rows = b->scratch->rows;
    int64_t panels = sx_ceil_div(b->columns, SX_QGEMM_PANEL);
    memset(rows, 0, sizeof b->scratch->rows);
    for (int64_t p = 0; p < depth; p += 2) {
        for (int64_t half = 0; half < 2; half++) {
            int16_t *row = rows + half * COLUMN_BLOCK;
            if (p + half == depth)
                memset(row, 0, COLUMN_BLOCK * sizeof *row);
            else if (g->image)
                sx_qgemm_patch_row(
                    j->kernels, &j->patches, b->image, b->group, g->groups, k + p + half, b->column, b->columns, row);
            else
                sx_qgemm_widen_b(j->kernels, &g->b, k + p + half, b->column, b->columns, row);
        }
        j->kernels->interleave(
            rows, rows + COLUMN_BLOCK, b->scratch->b + p * SX_QGEMM_PANEL, *b_panel, panels);
    }
    return b->scratch->b;
}

static void multiply(const job *j, const block *b, int64_t k, int64_t depth) {
    sx_qgemm_tile t = {.ldc = SUM_ROW, .pairs = sx_ceil_div(depth, 2), .accumulates = k > 0};
    int64_t b_panel = 0, tiles = sx_ceil_div(b->rows, j->kernels->tile_rows);
    const int16_t *a = a_rows(j, b, k, depth, &t.a_row), *panels = b_panels(j, b, k, depth, &b_panel);
    for (int64_t n = 0; n < b->columns; n += 2 * SX_QGEMM_PANEL) {
        t.b = panels + n / SX_QGEMM_PANEL * b_panel;
        // A single panel at the end is multiplied twice, its second sums are left unread.
        t.b_panel = b->columns - n > SX_QGEMM_PANEL ? b_panel : 0;
        for (int64_t tile = 0; tile < tiles; tile++) {
            int64_t first = tile * b->rows / tiles;
            t.rows = (tile + 1) * b->rows / tiles - first;
            t.a = a + first * t.a_row;
            t.c = b->scratch->sums + first * SUM_ROW + n;
            j->kernels->tile(&t);
        }
    }
}

/// Few taps of a single channel, of which a product would leave most of a tile idle: sums along the output.
static bool is_depthwise(const sx_qgemm_args *g) {
    return g->image && g->image->channels == 1 && g->image->stride[2] <= 2 && g->packed_a && g->k <= MAX_TAPS &&
           g->m <= 4;
}

static void multiply_taps(const job *j, const block *b) {
    const sx_qgemm_args *g = j->args;
    const sx_qgemm_patches *p = &j->patches;
    int64_t offsets[MAX_TAPS];
    for (int64_t t = 0; t < g->k; t++) offsets[t] = sx_qgemm_tap_offset(p, t);
    const int16_t *plane = p->planar + (b->image * g->groups + b->group) * p->plane;
    for (int64_t i = 0; i < b->rows; i++) {
        const int16_t *weights =
            (const int16_t *)g->packed_a + (b->group * g->m + b->row + i) * sx_qgemm_row_elements(g->k);
        for (sx_qgemm_run run = {0}; sx_qgemm_next_run(p, b->column, b->columns, &run);)
            j->kernels->taps(
                plane + run.first, offsets, weights, g->k, p->source->stride[2],
                b->scratch->sums + i * SUM_ROW + run.done, run.count);
    }
}

static void fill_plane(void *context, int64_t plane, int worker) {
    (void)worker;
    const job *j = context;
    sx_qgemm_fill_plane(j->kernels, &j->patches, j->args->groups, plane);
}

static int element_size(sx_qgemm_output output) {
    return output == SX_QGEMM_SUMS || output == SX_QGEMM_FLOATS ? 4 : 1;
}

static void finish_row(const job *j, const block *b, int64_t i) {
    static const float one = 1.0f;
    const sx_qgemm_args *g = j->args;
    int32_t *sums = b->scratch->sums + i * SUM_ROW;
    int64_t row = b->group * g->m + b->row + i;
    if (g->bias) {
        const int32_t *bias = g->bias + row * g->bias_row + b->column * g->bias_column;
        for (int64_t n = 0; n < b->columns; n++)
            sums[n] = (int32_t)((uint32_t)sums[n] + (uint32_t)bias[n * g->bias_column]);
    }
    float row_scale = g->row_scale ? g->row_scale[row * g->row_scale_step] : 1.0f;
    const float *scale = g->column_scale ? g->column_scale + b->column * g->column_scale_step : &one;
    int64_t step = g->column_scale ? g->column_scale_step : 0;
    int size = element_size(g->output);
    char *c = (char *)g->c +
              size * (b->image * g->c_image + b->group * g->c_group + (b->row + i) * g->c_row +
                      b->column * g->c_column);
    void *values = g->c_column == 1 ? (void *)c : b->scratch->values;
    if (g->output == SX_QGEMM_FLOATS) {
        const float *bias = g->float_bias ? g->float_bias + b->column : NULL;
        j->kernels->scale(sums, row_scale, scale, step, bias, values, b->columns);
    } else if (g->output != SX_QGEMM_SUMS) {
        j->kernels->quantize(
            sums, row_scale, scale, step, g->output == SX_QGEMM_INT8, g->zero, values, b->columns);
    } else if (g->c_column == 1) {
        memcpy(values, sums, (size_t)b->columns * sizeof *sums);
    } else {
        values = sums;
    }
    if (g->c_column == 1) return;
    for (int64_t n = 0; n < b->columns; n++)
        memcpy(c + n * g->c_column * size, (const char *)values + n * size, (size_t)size);
}

static void run(void *context, int64_t chunk, int worker) {
    const job *j = context;
    const sx_qgemm_args *g = j->args;
    int64_t product = chunk / j->column_blocks / j->row_blocks;
    block b = {
        .image = product / g->groups, .group = product % g->groups,
        .row = chunk / j->column_blocks % j->row_blocks * j->row_block,
        .column = chunk % j->column_blocks * j->column_block, .scratch = j->scratch + worker};
    b.rows = sx_min(j->row_block, g->m - b.row);
    b.columns = sx_min(j->column_block, g->n - b.column);
    if (is_depthwise(g) && !j->patches.is_flat)
        multiply_taps(j, &b);
    else
        for (int64_t k = 0; k < g->k; k += K_BLOCK) multiply(j, &b, k, sx_min(K_BLOCK, g->k - k));
    for (int64_t i = 0; i < b.rows; i++) {
        if (g->k == 0) memset(b.scratch->sums + i * SUM_ROW, 0, (size_t)b.columns * sizeof(int32_t));
        finish_row(j, &b, i);
    }
}

void sx_qgemm(const sx_qgemm_args *args, void *scratch, int threads) {
    assert(args->m >= 0 && args->n >= 0 && args->k >= 0 && args->images >= 0 && args->groups > 0);
    if (args->m == 0 || args->n == 0) return;
    job j = {.args = args, .kernels = kernels(), .scratch = scratch, .column_block = COLUMN_BLOCK};
    j.row_blocks = sx_ceil_div(args->m, ROW_BLOCK);
    j.row_block = sx_ceil_div(args->m, j.row_blocks);
    int64_t products = args->images * args->groups;
    double macs = (double)args->m * (double)args->n * (double)args->k * (double)products;
    int workers = sx_max(threads, 1);
    if (macs < SERIAL_MACS) threads = 1;
    if (args->image) {
        sx_qgemm_set_patches(&j.patches, args->image, products);
        j.patches.planar = (int16_t *)(j.scratch + workers);
        if (!j.patches.is_flat) sx_parallel_for(threads, j.patches.planes, fill_plane, &j);
    }
    // Some chunks a thread let a delayed one be helped.
    while (threads > 1 && j.column_block > 2 * SX_QGEMM_PANEL &&
           (double)products * (double)j.row_blocks * (double)sx_ceil_div(args->n, j.column_block) < 6.0 * threads)
        j.column_block /= 2;
    j.column_blocks = sx_ceil_div(args->n, j.column_block);
    sx_parallel_for(threads, products * j.row_blocks * j.column_blocks, run, &j);
}

/// Rows of A, or blocks of columns of B.
typedef struct {
    const sx_qgemm_kernels *kernels;
    const sx_qgemm_matrix *matrix;
    int64_t k, n;
    int16_t *packed;
} pack_job;

static void pack_row(void *context, int64_t row, int worker) {
    (void)worker;
    const pack_job *j = context;
    int64_t elements = sx_qgemm_row_elements(j->k);
    int16_t *to = j->packed + row * elements;
    memset(to + j->k, 0, (size_t)(elements - j->k) * sizeof *to);
    sx_qgemm_widen_a(j->kernels, j->matrix, row, 0, j->k, to);
}

static void pack_panel(void *context, int64_t panel, int worker) {
    (void)worker;
    const pack_job *j = context;
    int64_t first = panel * SX_QGEMM_PANEL, columns = sx_min(SX_QGEMM_PANEL, j->n - first);
    int16_t *to = j->packed + panel * sx_round_up(j->k, 2) * SX_QGEMM_PANEL;
    int16_t rows[2][SX_QGEMM_PANEL] = {{0}};
    for (int64_t p = 0; p < j->k; p += 2) {
        sx_qgemm_widen_b(j->kernels, j->matrix, p, first, columns, rows[0]);
        if (p + 1 < j->k)
            sx_qgemm_widen_b(j->kernels, j->matrix, p + 1, first, columns, rows[1]);
        else
            memset(rows[1], 0, sizeof rows[1]);
        j->kernels->interleave(rows[0], rows[1], to + p * SX_QGEMM_PANEL, 0, 1);
    }
}

void sx_qgemm_pack_a(int64_t m, int64_t k, const sx_qgemm_matrix *a, void *packed, int threads) {
    pack_job j = {kernels(), a, k, 0, packed};
    sx_parallel_for(threads, m, pack_row, &j);
}

void sx_qgemm_pack_b(int64_t k, int64_t n, const sx_qgemm_matrix *b, void *packed, int threads) {
    pack_job j = {kernels(), b, k, n, packed};
    sx_parallel_for(threads, sx_ceil_div(n, SX_QGEMM_PANEL), pack_panel, &j);
}

static int64_t packed_bytes(int64_t rows, int64_t elements) {
    int64_t bytes = 0;
    if (rows < 0 || elements < 0 || __builtin_mul_overflow(elements, (int64_t)sizeof(int16_t), &bytes) ||
        __builtin_mul_overflow(bytes, rows, &bytes))
        return -1;
    return bytes;
}

int64_t sx_qgemm_packed_a_bytes(int64_t m, int64_t k) { return packed_bytes(m, sx_qgemm_row_elements(k)); }

int64_t sx_qgemm_packed_b_bytes(int64_t k, int64_t n) {
    return packed_bytes(sx_ceil_div(n, SX_QGEMM_PANEL) * SX_QGEMM_PANEL, sx_round_up(k, 2));
}
