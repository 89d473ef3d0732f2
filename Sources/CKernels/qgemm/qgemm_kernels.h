#ifndef SX_QGEMM_KERNELS_H
#define SX_QGEMM_KERNELS_H

#include "sx_qgemm.h"

/// Columns of a panel, and elements of a pair of its rows.
enum { SX_QGEMM_PANEL = 16, SX_QGEMM_PAIR = 2 * SX_QGEMM_PANEL };

/// C [rows, 32] (+)= A B for `pairs` pairs of k. All of 32 columns are stored.
typedef struct {
    const int16_t *a;  ///< rows of pairs, `a_row` elements apart
    int64_t a_row;
    const int16_t *b;  ///< panels [pairs][16][2], `b_panel` elements apart
    int64_t b_panel;
    int32_t *c;
    int64_t ldc, rows, pairs;
    bool accumulates;
} sx_qgemm_tile;

typedef struct {
    int64_t tile_rows;
    void (*tile)(const sx_qgemm_tile *tile);
    /// to[i] = from[i stride] - zero, widened.
    void (*widen)(const void *from, int64_t stride, bool is_signed, int32_t zero, int16_t *to, int64_t n);
    /// to[i] = from[i stride].
    void (*gather)(const int16_t *from, int64_t stride, int16_t *to, int64_t n);
    /// sums[i] = sum over t of weights[t] x[offsets[t] + i stride], stride 1 or 2; past the n-th up to 32 elements of x
    /// may be read and 15 sums written.
    void (*taps)(
        const int16_t *x, const int64_t *offsets, const int16_t *weights, int64_t taps, int64_t stride, int32_t *sums,
        int64_t n);
    /// Two rows of `panels` x 16 elements into a pair of each panel.
    void (*interleave)(const int16_t *first, const int16_t *second, int16_t *to, int64_t b_panel, int64_t panels);
    /// y = saturate(round(sum row_scale scale[i step]) + zero), int8 or uint8.
    void (*quantize)(
        const int32_t *sum, float row_scale, const float *scale, int64_t step, bool is_signed, int32_t zero,
        uint8_t *y, int64_t n);
    /// y = sum row_scale scale[i step] + bias[i], where `bias` may be NULL.
    void (*scale)(
        const int32_t *sum, float row_scale, const float *scale, int64_t step, const float *bias, float *y, int64_t n);
} sx_qgemm_kernels;

#endif
