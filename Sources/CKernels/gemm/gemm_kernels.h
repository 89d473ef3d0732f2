#ifndef SX_GEMM_KERNELS_H
#define SX_GEMM_KERNELS_H

#include "sx_gemm.h"

enum { SX_GEMM_MAX_TILE_ROWS = 14 };

/// What the last block of K does to a tile before it is stored: clip(c + bias, low, high).
typedef struct {
    const float *column_bias;  ///< [columns], or NULL
    const float *row_bias;     ///< element i at i row_bias_stride, or NULL
    int64_t row_bias_stride;
    float low, high;
} sx_gemm_epilogue;

typedef struct {
    int tile_rows;
    /// C [rows, columns] (+)= A B: A packed [k][tile_rows], B [k, 32] with row stride `b_row`;
    /// rows <= tile_rows, columns <= 32. Adds to C where `accumulate`; `epilogue` may be NULL.
    void (*tile)(
        int64_t k, const float *a, const float *b, int64_t b_row, float *c, int64_t ldc, int64_t rows,
        int64_t columns, bool accumulate, const sx_gemm_epilogue *epilogue);
    /// c[j] += beta bias[j stride] for n elements.
    void (*add_bias)(float *c, int64_t n, float beta, const float *bias, int64_t stride);
} sx_gemm_kernels;

#endif
