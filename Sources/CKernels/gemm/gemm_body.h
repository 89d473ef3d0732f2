#include "../base/vector_sum.h"
#include "gemm_kernels.h"

/// `rows` rows by TILE_VECTORS vectors; `full` means that all columns are inside C.
SX_INLINE void tile_part(
    int64_t k, const float *a, const float *b, int64_t b_row, float *c, int64_t ldc, int rows, int64_t columns,
    bool full, bool accumulate, const sx_gemm_epilogue *e, int64_t first_column) {
    sx_vec sum[TILE_ROWS][TILE_VECTORS];
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = sx_vec_set(0.0f);
    for (int64_t p = 0; p < k; p++) {
        sx_vec column[TILE_VECTORS];
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) column[v] = sx_vec_load(b + p * b_row + 16 * v);
#pragma unroll
        for (int i = 0; i < rows; i++)
#pragma unroll
            for (int v = 0; v < TILE_VECTORS; v++)
                sum[i][v] = sx_vec_fma(sx_vec_set(a[p * TILE_ROWS + i]), column[v], sum[i][v]);
    }
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) {
            float *to = c + i * ldc + 16 * v;
            int64_t lanes = full ? 16 : columns - 16 * v;
            if (lanes <= 0) continue;
            sx_vec result = sum[i][v];
            if (accumulate) result += sx_load_lanes(to, lanes);
            if (e) {
                if (e->column_bias) result += sx_load_lanes(e->column_bias + first_column + 16 * v, lanes);
                if (e->row_bias) result += e->row_bias[i * e->row_bias_stride];
                result = sx_vec_at_most(sx_vec_at_least(result, sx_vec_set(e->low)), sx_vec_set(e->high));
            }
            if (full)
                sx_vec_store(to, result);
            else
                sx_vec_store_first(to, result, lanes);
        }
}

SX_INLINE void tile_rows(
    int64_t k, const float *a, const float *b, int64_t b_row, float *c, int64_t ldc, int rows, int64_t columns,
    bool accumulate, const sx_gemm_epilogue *e) {
    enum { WIDTH = 16 * TILE_VECTORS };
    for (int64_t j = 0; j < columns; j += WIDTH) {
        if (j + WIDTH <= columns)
            tile_part(k, a, b + j, b_row, c + j, ldc, rows, WIDTH, true, accumulate, e, j);
        else
            tile_part(k, a, b + j, b_row, c + j, ldc, rows, columns - j, false, accumulate, e, j);
    }
}

static void tile(
    int64_t k, const float *a, const float *b, int64_t b_row, float *c, int64_t ldc, int64_t rows, int64_t columns,
    bool accumulate, const sx_gemm_epilogue *e) {
    if (rows == TILE_ROWS) {
        tile_rows(k, a, b, b_row, c, ldc, TILE_ROWS, columns, accumulate, e);
        return;
    }
    switch (rows) {
    case 1: tile_rows(k, a, b, b_row, c, ldc, 1, columns, accumulate, e); break;
#define ROWS(n) \
    case n: tile_rows(k, a, b, b_row, c, ldc, n < TILE_ROWS ? n : 1, columns, accumulate, e); break;
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

const sx_gemm_kernels SX_ROW(sx_gemm_kernels) = {TILE_ROWS, tile, add_bias};
