#ifndef SX_GEMM_PACK_H
#define SX_GEMM_PACK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../move/move_kernels.h"
#include "sx_gemm.h"

/// B [k, columns <= 16] into one panel [k][16], columns past the last zero.
static inline void sx_gemm_pack_panel(
    const sx_move_kernels *move, int64_t k, int64_t columns, const float *b, int64_t ldb, bool transposed,
    float *panel) {
    if (columns < SX_GEMM_PANEL) memset(panel, 0, (size_t)(k * SX_GEMM_PANEL) * sizeof(float));
    if (transposed) {
        move->transpose32(b, ldb, panel, SX_GEMM_PANEL, columns, k);
    } else if (columns == SX_GEMM_PANEL) {
        for (int64_t p = 0; p < k; p++) memcpy(panel + p * SX_GEMM_PANEL, b + p * ldb, SX_GEMM_PANEL * sizeof(float));
    } else {
        for (int64_t p = 0; p < k; p++)
            memcpy(panel + p * SX_GEMM_PANEL, b + p * ldb, (size_t)columns * sizeof(float));
    }
}

/// A [rows <= tile_rows, k] into [k][tile_rows]; elements past the last row are left as they are.
static inline void sx_gemm_pack_a(
    const sx_move_kernels *move, int64_t k, int64_t rows, const float *a, int64_t lda, bool transposed, int tile_rows,
    float *packed) {
    if (transposed)
        for (int64_t p = 0; p < k; p++) memcpy(packed + p * tile_rows, a + p * lda, (size_t)rows * sizeof(float));
    else
        move->transpose32(a, lda, packed, tile_rows, rows, k);
}

#endif
