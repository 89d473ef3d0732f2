#include "../base/vector_double.h"
#include "gemm_kernels.h"

/// `rows` rows by TILE_VECTORS vectors of eight.
SX_INLINE void double_tile_rows(const sx_gemm_f64_tile *t, const int rows) {
    sx_dvec8 sum[TILE_ROWS][TILE_VECTORS];
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = sx_dvec8_set(0.0);
    const double *a = t->a, *b = t->b;
#pragma unroll 4
    for (int64_t p = 0; p < t->k; p++, a += TILE_ROWS, b += t->b_row) {
        sx_dvec8 column[TILE_VECTORS];
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) column[v] = sx_dvec8_load(b + 8 * v);
#pragma unroll
        for (int i = 0; i < rows; i++)
#pragma unroll
            for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = sx_dvec8_fma(sx_dvec8_set(a[i]), column[v], sum[i][v]);
    }
#pragma unroll
    for (int i = 0; i < rows; i++) {
        if (i >= t->rows) break;
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) {
            double *to = t->c + i * t->ldc + 8 * v;
            int64_t lanes = t->columns - 8 * v;
            if (lanes <= 0) break;
            sx_dvec8 result = t->alpha * sum[i][v];
            if (t->beta != 0.0) result += t->beta * sx_dvec8_load_first(to, lanes);
            sx_dvec8_store_first(to, result, lanes);
        }
    }
}

static void double_tile(const sx_gemm_f64_tile *t) {
    if (t->rows == 1)
        double_tile_rows(t, 1);
    else
        double_tile_rows(t, TILE_ROWS);
}
