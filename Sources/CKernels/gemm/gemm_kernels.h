#ifndef SX_GEMM_KERNELS_H
#define SX_GEMM_KERNELS_H

#include "sx_gemm.h"

enum { SX_GEMM_MAX_TILE_ROWS = 14, SX_GEMM_MAX_TILE_COLUMNS = 32, SX_GEMM_MAX_K_BLOCK = 768 };

/// What the last block of K does to a tile before it is stored: clip(c + bias, low, high).
typedef struct {
    const float *column_bias;  ///< [columns], or NULL
    const float *row_bias;     ///< element i at i row_bias_stride, or NULL
    int64_t row_bias_stride;
    float low, high;
} sx_gemm_epilogue;

/// One tile: C [rows, columns] (+)= alpha A B, rows <= tile_rows, columns <= tile_columns.
typedef struct {
    const float *a;  ///< element (i, p) at i a_row + p a_step
    int64_t a_row, a_step;
    const float *b;  ///< panels [k, 16] with row stride `b_row`, `b_panel` apart; all of 16 columns is read
    int64_t b_row, b_panel;
    float *c;
    int64_t ldc, rows, columns, k;
    float alpha;
    bool accumulates;  ///< adds to C
    const float *ahead;   ///< elements of B wanted soon: `ahead_lines` lines of 16 are fetched every 16 steps of k
    int64_t ahead_lines;
    const sx_gemm_epilogue *epilogue;  ///< or NULL
} sx_gemm_tile;

/// One tile of doubles: C [rows, columns] = alpha A B + beta C, rows <= tile_rows, columns <= tile_columns / 2.
typedef struct {
    const double *a;  ///< packed [k][tile_rows]
    const double *b;  ///< row stride `b_row`; all of tile_columns / 2 columns is read
    int64_t b_row;
    double *c;
    int64_t ldc, rows, columns, k;
    double alpha, beta;  ///< with a beta of 0 C is not read
} sx_gemm_f64_tile;

typedef struct {
    int tile_rows, tile_columns;
    int64_t k_block;  ///< the most of K between two visits of C
    void (*tile)(const sx_gemm_tile *tile);
    /// c[j] += beta bias[j stride] for n elements.
    void (*add_bias)(float *c, int64_t n, float beta, const float *bias, int64_t stride);
    void (*double_tile)(const sx_gemm_f64_tile *tile);
} sx_gemm_kernels;

#endif
