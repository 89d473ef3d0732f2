#include "../base/vector_sum.h"
#include "double_body.h"
#include "gemm_kernels.h"

/// sum += a column of A times a row of B. With few registers, the rows from TILE_BASE on have a base of their own, so
/// that every address is a base, an index and a constant.
SX_INLINE void add_step(
    sx_vec sum[][TILE_VECTORS], const float *a, const int64_t a_row, const float *b, const int64_t b_panel,
    const int rows) {
    const float *far = a + TILE_BASE * a_row;
    sx_vec column[TILE_VECTORS];
#pragma unroll
    for (int v = 0; v < TILE_VECTORS; v++) column[v] = sx_vec_load(b + v * b_panel);
#pragma unroll
    for (int i = 0; i < rows; i++) {
        const sx_vec x = sx_vec_set(*(i < TILE_BASE ? a + i * a_row : far + (i - TILE_BASE) * a_row));
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = sx_vec_fma(x, column[v], sum[i][v]);
    }
}

/// `steps` of k; unrolled where the caller knows the strides of A.
SX_INLINE void add_steps(
    sx_vec sum[][TILE_VECTORS], const float *a, const int64_t a_row, const int64_t a_step, const float *b,
    const int64_t b_row, const int64_t b_panel, const int64_t steps, const int rows) {
    if (TILE_UNROLL > 1 && __builtin_constant_p(a_step)) {
#pragma unroll TILE_UNROLL
        for (int64_t p = 0; p < steps; p++, b += b_row) add_step(sum, a + p * a_step, a_row, b, b_panel, rows);
    } else {
#pragma nounroll
        for (int64_t p = 0; p < steps; p++, a += a_step, b += b_row) add_step(sum, a, a_row, b, b_panel, rows);
    }
}

SX_INLINE void add_products(
    const sx_gemm_tile *t, sx_vec sum[][TILE_VECTORS], const int64_t a_row, const int64_t a_step, const int64_t b_row,
    const int rows) {
    // Where the lines of A follow each other: along a row, or through the packed columns.
    const int64_t a_line = a_step == 1 ? a_row : 16;
    const float *a = t->a, *b = t->b, *ahead = t->ahead;
    for (int64_t left = t->k; left > 0; left -= 16, a += 16 * a_step, b += 16 * b_row) {
        const float *next = a + 32 * a_step;
#pragma unroll
        for (int i = 0; i < TILE_FETCHED_ROWS && i < rows; i++) __builtin_prefetch(next + i * a_line);
        for (int64_t line = 0; line < t->ahead_lines; line++, ahead += 16) __builtin_prefetch(ahead, 0, 2);
        if (left >= 16)
            add_steps(sum, a, a_row, a_step, b, b_row, t->b_panel, 16, rows);
        else
            add_steps(sum, a, a_row, a_step, b, b_row, t->b_panel, left, rows);
    }
}

/// `rows` rows by TILE_VECTORS vectors; `full` means that all of them are inside C.
SX_INLINE void tile_part(const sx_gemm_tile *t, const int rows, bool full) {
    sx_vec sum[TILE_ROWS][TILE_VECTORS];
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = sx_vec_set(0.0f);
    // The lines of C lie a row apart, where no hardware looks ahead.
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) __builtin_prefetch(t->c + i * t->ldc + 16 * v, 1);
    // The common strides as constants: A in place or packed, B in panels.
    if (TILE_UNROLL > 1 && t->a_step == 1 && t->b_row == SX_GEMM_PANEL)
        add_products(t, sum, t->a_row, 1, SX_GEMM_PANEL, rows);
    else if (TILE_UNROLL > 1 && t->a_row == 1 && t->a_step == TILE_ROWS && t->b_row == SX_GEMM_PANEL)
        add_products(t, sum, 1, TILE_ROWS, SX_GEMM_PANEL, rows);
    else
        add_products(t, sum, t->a_row, t->a_step, t->b_row, rows);
    const sx_gemm_epilogue *e = t->epilogue;
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) {
            float *to = t->c + i * t->ldc + 16 * v;
            int64_t lanes = full ? 16 : t->columns - 16 * v;
            if (lanes <= 0) continue;
            sx_vec result = t->alpha * sum[i][v];
            if (t->accumulates) result += sx_load_lanes(to, lanes);
            if (e) {
                if (e->column_bias) result += sx_load_lanes(e->column_bias + 16 * v, lanes);
                if (e->row_bias) result += e->row_bias[i * e->row_bias_stride];
                result = sx_vec_at_most(sx_vec_at_least(result, sx_vec_set(e->low)), sx_vec_set(e->high));
            }
            if (full)
                sx_vec_store(to, result);
            else
                sx_vec_store_first(to, result, lanes);
        }
}

SX_INLINE void tile_rows(const sx_gemm_tile *t, const int rows) {
    if (t->columns == 16 * TILE_VECTORS)
        tile_part(t, rows, true);
    else
        tile_part(t, rows, false);
}

static void tile(const sx_gemm_tile *t) {
    if (t->rows == TILE_ROWS) {
        tile_rows(t, TILE_ROWS);
        return;
    }
    switch (t->rows) {
    case 1: tile_rows(t, 1); break;
#define ROWS(n) \
    case n: tile_rows(t, n < TILE_ROWS ? n : 1); break;
        ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13)
#undef ROWS
    default: break;
    }
}

static void add_bias(float *c, int64_t n, float beta, const float *bias, int64_t stride) {
    int64_t j = 0;
    if (stride == 0 || stride == 1)
        for (; j + 16 <= n; j += 16) {
            sx_vec value = stride ? sx_vec_load(bias + j) : sx_vec_set(*bias);
            sx_vec_store(c + j, sx_vec_load(c + j) + beta * value);
        }
    for (; j < n; j++) c[j] += beta * bias[j * stride];
}

const sx_gemm_kernels SX_ROW(sx_gemm_kernels) = {TILE_ROWS, 16 * TILE_VECTORS, TILE_DEPTH, tile, add_bias, double_tile};
