// 16x16 transposes for every vector ISA; included between row_avx*.h and row_end.h.

#include "reorder_kernels.h"

/// rows[i][j] and rows[j][i] change places: four rounds, each exchanging halves of size 8, 4, 2, 1.
SX_INLINE void transpose(sx_vec rows[16]) {
    sx_vec next[16];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        next[2 * i] = __builtin_shufflevector(
            rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        next[2 * i + 1] = __builtin_shufflevector(
            rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma unroll
    for (int i = 0; i < 16; i++) rows[i] = next[i];
}

SX_INLINE void transpose_16x16(sx_vec rows[16]) {
    transpose(rows);
    transpose(rows);
    transpose(rows);
    transpose(rows);
}

static void block(const float *src, float *dst, int64_t pixels, int64_t channels, int64_t plane_stride) {
    for (int64_t i = 0; i < pixels; i += 16) {
        int64_t count = pixels - i < 16 ? pixels - i : 16;
        sx_vec rows[16];
#pragma unroll
        for (int lane = 0; lane < 16; lane++)
            rows[lane] = lane >= channels ? sx_vec_set(0.0f)
                         : count == 16    ? sx_vec_load(src + lane * plane_stride + i)
                                          : sx_vec_load_first(src + lane * plane_stride + i, count);
        transpose_16x16(rows);
#pragma unroll
        for (int pixel = 0; pixel < 16; pixel++)
            if (pixel < count) sx_vec_store(dst + (i + pixel) * 16, rows[pixel]);
    }
}

static void unblock(const float *src, float *dst, int64_t pixels, int64_t channels, int64_t plane_stride) {
    for (int64_t i = 0; i < pixels; i += 16) {
        int64_t count = pixels - i < 16 ? pixels - i : 16;
        sx_vec rows[16];
#pragma unroll
        for (int pixel = 0; pixel < 16; pixel++)
            rows[pixel] = pixel < count ? sx_vec_load(src + (i + pixel) * 16) : sx_vec_set(0.0f);
        transpose_16x16(rows);
#pragma unroll
        for (int lane = 0; lane < 16; lane++) {
            if (lane >= channels) continue;
            if (count == 16)
                sx_vec_store(dst + lane * plane_stride + i, rows[lane]);
            else
                sx_vec_store_first(dst + lane * plane_stride + i, rows[lane], count);
        }
    }
}

const sx_reorder_kernels SX_ROW(sx_reorder_kernels) = {block, unblock};
