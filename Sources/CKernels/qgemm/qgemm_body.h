#include "../base/vector_sum.h"
#include "../quant/round.h"
#include "qgemm_kernels.h"

typedef int16_t pair_of_rows __attribute__((ext_vector_type(32)));

SX_INLINE int32_t pair_at(const int16_t *p) {
    int32_t pair;
    memcpy(&pair, p, sizeof pair);
    return pair;
}

/// `rows` rows by `TILE_VECTORS` panels.
SX_INLINE void tile_part(const sx_qgemm_tile *t, int64_t panel, const int rows) {
    sx_ivec sum[TILE_ROWS][TILE_VECTORS];
    const int16_t *a = t->a, *b = t->b + panel * t->b_panel;
    int32_t *c = t->c + panel * SX_QGEMM_PANEL;
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) {
            sum[i][v] = (sx_ivec)0;
            if (t->accumulates) memcpy(&sum[i][v], c + i * t->ldc + SX_QGEMM_PANEL * v, sizeof(sx_ivec));
        }
    for (int64_t p = 0; p < t->pairs; p++, a += 2, b += SX_QGEMM_PAIR) {
        pairs16 columns[TILE_VECTORS];
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++) columns[v] = load_pairs(b + v * t->b_panel);
#pragma unroll
        for (int i = 0; i < rows; i++) {
            const int32_t x = pair_at(a + i * t->a_row);
#pragma unroll
            for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = add_pairs(sum[i][v], x, columns[v]);
        }
    }
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int v = 0; v < TILE_VECTORS; v++)
            memcpy(c + i * t->ldc + SX_QGEMM_PANEL * v, &sum[i][v], sizeof(sx_ivec));
}

SX_INLINE void tile_rows(const sx_qgemm_tile *t, const int rows) {
    for (int panel = 0; panel < 2; panel += TILE_VECTORS) tile_part(t, panel, rows);
}

static void tile(const sx_qgemm_tile *t) {
    switch (t->rows) {
    case 1: tile_rows(t, 1); break;
#define ROWS(n) \
    case n: tile_rows(t, n <= TILE_ROWS ? n : 1); break;
        ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12)
#undef ROWS
    default: break;
    }
}

SX_INLINE void widen_row(
    const uint8_t *from, const int64_t stride, const bool is_signed, int16_t zero, int16_t *to, int64_t n) {
    if (is_signed)
        for (int64_t i = 0; i < n; i++) to[i] = (int16_t)((int8_t)from[i * stride] - zero);
    else
        for (int64_t i = 0; i < n; i++) to[i] = (int16_t)(from[i * stride] - zero);
}

static void widen(const void *from, int64_t stride, bool is_signed, int32_t zero, int16_t *to, int64_t n) {
    if (stride == 1)
        widen_row(from, 1, is_signed, (int16_t)zero, to, n);
    else
        widen_row(from, stride, is_signed, (int16_t)zero, to, n);
}

SX_INLINE void gather_row(const int16_t *from, const int64_t stride, int16_t *to, int64_t n) {
    for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
}

static void gather(const int16_t *from, int64_t stride, int16_t *to, int64_t n) {
    if (stride == 1)
        gather_row(from, 1, to, n);
    else if (stride == 2)
        gather_row(from, 2, to, n);
    else
        gather_row(from, stride, to, n);
}

/// Sixteen elements `stride`, 1 or 2, apart.
SX_INLINE sx_ivec load_strided(const int16_t *x, const int64_t stride) {
    sx_shorts v;
    if (stride == 1) {
        memcpy(&v, x, sizeof v);
    } else {
        pair_of_rows both;
        memcpy(&both, x, sizeof both);
        v = __builtin_shufflevector(both, both, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    }
    return __builtin_convertvector(v, sx_ivec);
}

SX_INLINE void taps_row(
    const int16_t *x, const int64_t *offsets, const int16_t *weights, int64_t taps, const int64_t stride, int32_t *sums,
    int64_t n) {
    for (int64_t i = 0; i < n; i += 16) {
        sx_ivec sum = 0;
        for (int64_t t = 0; t < taps; t++)
            sum += load_strided(x + offsets[t] + i * stride, stride) * (int32_t)weights[t];
        memcpy(sums + i, &sum, sizeof sum);
    }
}

static void taps(
    const int16_t *x, const int64_t *offsets, const int16_t *weights, int64_t count, int64_t stride, int32_t *sums,
    int64_t n) {
    if (stride == 1)
        taps_row(x, offsets, weights, count, 1, sums, n);
    else
        taps_row(x, offsets, weights, count, 2, sums, n);
}

static void interleave(const int16_t *first, const int16_t *second, int16_t *to, int64_t b_panel, int64_t panels) {
    for (int64_t panel = 0; panel < panels; panel++) {
        sx_shorts a, b;
        memcpy(&a, first + panel * SX_QGEMM_PANEL, sizeof a);
        memcpy(&b, second + panel * SX_QGEMM_PANEL, sizeof b);
        const pair_of_rows pairs = __builtin_shufflevector(
            a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
            14, 30, 15, 31);
        memcpy(to + panel * b_panel, &pairs, sizeof pairs);
    }
}

/// Sixteen scaled sums; lanes past the end are scaled by zero.
SX_INLINE sx_vec scaled(const int32_t *sum, float row_scale, const float *scale, int64_t step, int64_t lanes) {
    sx_ivec whole = 0;
    memcpy(&whole, sum, (size_t)(lanes < 16 ? lanes : 16) * sizeof(int32_t));
    sx_vec factor = row_scale * (step ? sx_load_lanes(scale, lanes) : sx_vec_set(*scale));
    return __builtin_convertvector(whole, sx_vec) * factor;
}

static void quantize(
    const int32_t *sum, float row_scale, const float *scale, int64_t step, bool is_signed, int32_t zero, uint8_t *y,
    int64_t n) {
    const sx_vec low = sx_vec_set((float)((is_signed ? -128 : 0) - zero));
    const sx_vec high = sx_vec_set((float)((is_signed ? 127 : 255) - zero));
    for (int64_t i = 0; i < n; i += 16)
        sx_store_bytes(
            y + i, sx_round_within(scaled(sum + i, row_scale, scale + i * step, step, n - i), low, high) + zero, n - i);
}

static void scale(
    const int32_t *sum, float row_scale, const float *scale, int64_t step, const float *bias, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i += 16) {
        sx_vec value = scaled(sum + i, row_scale, scale + i * step, step, n - i);
        if (bias) value += sx_load_lanes(bias + i, n - i);
        sx_vec_store_first(y + i, value, n - i);
    }
}

const sx_qgemm_kernels SX_ROW(sx_qgemm_kernels) = {
    TILE_ROWS, tile, widen, gather, taps, interleave, quantize, scale};
