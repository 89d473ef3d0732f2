#include "half.h"
#include "move_kernels.h"

#if defined(SX_VECTOR_AVX512)
/// Four rounds of interleaving row i with row i + 8 transpose sixteen rows of sixteen.
SX_INLINE void transpose16(sx_vec *r) {
    sx_vec t[16];
#pragma unroll
    for (int round = 0; round < 4; round++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            t[2 * i] = __builtin_shufflevector(
                r[i], r[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            t[2 * i + 1] = __builtin_shufflevector(
                r[i], r[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
#pragma unroll
        for (int i = 0; i < 16; i++) r[i] = t[i];
    }
}

static void full_block(const float *src, int64_t src_row, float *dst, int64_t dst_row) {
    sx_vec r[16];
#pragma unroll
    for (int i = 0; i < 16; i++) r[i] = sx_vec_load(src + i * src_row);
    transpose16(r);
#pragma unroll
    for (int i = 0; i < 16; i++) sx_vec_store(dst + i * dst_row, r[i]);
}

#else
typedef float half_vec __attribute__((ext_vector_type(8)));

/// Within 128-bit lanes pairs, then fours; across them last: two shuffles a vector and step, all of one instruction.
SX_INLINE void transpose8(half_vec *r) {
    half_vec pairs[8], fours[8];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        half_vec a = r[2 * i], b = r[2 * i + 1];
        pairs[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[2 * i + 1] = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int k = 0; k < 2; k++) {
            half_vec a = pairs[4 * i + k], b = pairs[4 * i + k + 2];
            fours[4 * i + 2 * k] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            fours[4 * i + 2 * k + 1] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        r[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/// Eight columns at a time, so that rows of dst are written in whole cache lines.
static void full_block(const float *src, int64_t src_row, float *dst, int64_t dst_row) {
    for (int c = 0; c < 16; c += 8) {
        half_vec upper[8], lower[8];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            memcpy(&upper[i], src + i * src_row + c, sizeof upper[i]);
            memcpy(&lower[i], src + (i + 8) * src_row + c, sizeof lower[i]);
        }
        transpose8(upper);
        transpose8(lower);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            memcpy(dst + (c + i) * dst_row, &upper[i], sizeof upper[i]);
            memcpy(dst + (c + i) * dst_row + 8, &lower[i], sizeof lower[i]);
        }
    }
}
#endif

static void edge_block(
    const float *src, int64_t src_row, float *dst, int64_t dst_row, int64_t rows, int64_t columns) {
    float from[256] __attribute__((aligned(64))), to[256] __attribute__((aligned(64)));
    for (int64_t i = 0; i < 16; i++)
        sx_vec_store(from + 16 * i, i < rows ? sx_vec_load_first(src + i * src_row, columns) : sx_vec_set(0.0f));
    full_block(from, 16, to, 16);
    for (int64_t i = 0; i < columns; i++) memcpy(dst + i * dst_row, to + 16 * i, (size_t)rows * sizeof *dst);
}

static void transpose32(
    const void *src, int64_t src_row, void *dst, int64_t dst_row, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; i += 16)
        for (int64_t j = 0; j < columns; j += 16) {
            const float *from = (const float *)src + i * src_row + j;
            float *to = (float *)dst + j * dst_row + i;
            if (i + 16 <= rows && j + 16 <= columns)
                full_block(from, src_row, to, dst_row);
            else
                edge_block(
                    from, src_row, to, dst_row, rows - i < 16 ? rows - i : 16, columns - j < 16 ? columns - j : 16);
        }
}

#define SX_CAST(FROM, TO, value)                             \
    do {                                                     \
        const FROM *from_ = src;                             \
        TO *to_ = dst;                                       \
        for (int64_t i = 0; i < n; i++) {                    \
            FROM x = from_[i];                               \
            to_[i] = value;                                  \
        }                                                    \
        return 1;                                            \
    } while (0)

static int cast_to_float(sx_type from, const void *src, void *dst, int64_t n) {
    switch (from) {
    case SX_TYPE_UINT8: SX_CAST(uint8_t, float, x);
    case SX_TYPE_INT8: SX_CAST(int8_t, float, x);
    case SX_TYPE_BOOL: SX_CAST(uint8_t, float, x != 0);
    case SX_TYPE_INT32: SX_CAST(int32_t, float, (float)x);
    case SX_TYPE_FLOAT16: SX_CAST(uint16_t, float, sx_from_half(x));
    case SX_TYPE_BFLOAT16: SX_CAST(uint16_t, float, sx_float_of((uint32_t)x << 16));
    default: return 0;
    }
}

static int cast(sx_type from, sx_type to, const void *src, void *dst, int64_t n) {
    if (to == SX_TYPE_FLOAT32) return cast_to_float(from, src, dst, n);
    if (from != SX_TYPE_FLOAT32) return 0;
    switch (to) {
    case SX_TYPE_FLOAT16: SX_CAST(float, uint16_t, sx_to_half(x));
    case SX_TYPE_BFLOAT16: SX_CAST(float, uint16_t, sx_to_bfloat16(x));
    case SX_TYPE_BOOL: SX_CAST(float, uint8_t, x != 0.0f);
    default: return 0;
    }
}

const sx_move_kernels SX_ROW(sx_move_kernels) = {transpose32, cast};
