#include "../base/vector_sum.h"
#include "resize_kernels.h"

SX_INLINE float weight_at(const float *weight, int64_t i) { return weight ? weight[i] : 1.0f; }

/// Sum over `row_taps` x `column_taps` pixels of 16 lanes at column `w`; the first tap is a product, so that copies
/// keep every bit.
SX_INLINE sx_vec pixel_blocked(
    const float *plane, int64_t in_width, sx_resize_taps rows, sx_resize_table columns, int64_t w, int row_taps,
    int column_taps) {
    sx_vec sum = sx_vec_set(0.0f);
    for (int i = 0; i < row_taps; i++) {
        const float *row = plane + rows.index[i] * in_width * 16;
        sx_vec part = sx_vec_set(0.0f);
        for (int t = 0; t < column_taps; t++) {
            int64_t entry = w * column_taps + t;
            sx_vec pixel = sx_vec_load(row + (int64_t)columns.index[entry] * 16);
            sx_vec weight = sx_vec_set(weight_at(columns.weight, entry));
            part = t == 0 ? weight * pixel : sx_vec_fma(weight, pixel, part);
        }
        sx_vec weight = sx_vec_set(weight_at(rows.weight, i));
        sum = i == 0 ? weight * part : sx_vec_fma(weight, part, sum);
    }
    return sum;
}

static void blocked(
    const float *plane, int64_t in_width, float *y, int64_t out_width, sx_resize_taps rows, sx_resize_table columns) {
    if (rows.taps == 2 && columns.taps == 2) {
        for (int64_t w = 0; w < out_width; w++)
            sx_vec_store(y + 16 * w, pixel_blocked(plane, in_width, rows, columns, w, 2, 2));
    } else {
        for (int64_t w = 0; w < out_width; w++)
            sx_vec_store(
                y + 16 * w, pixel_blocked(plane, in_width, rows, columns, w, rows.taps, columns.taps));
    }
}

/// As `pixel_blocked` for one lane, with the same bits.
SX_INLINE float pixel_plain(
    const float *plane, int64_t in_width, sx_resize_taps rows, sx_resize_table columns, int64_t w, int row_taps,
    int column_taps) {
    float sum = 0.0f;
    for (int i = 0; i < row_taps; i++) {
        const float *row = plane + rows.index[i] * in_width;
        float part = 0.0f;
        for (int t = 0; t < column_taps; t++) {
            int64_t entry = w * column_taps + t;
            float weight = weight_at(columns.weight, entry);
            float pixel = row[columns.index[entry]];
            part = t == 0 ? weight * pixel : sx_fma(weight, pixel, part);
        }
        float weight = weight_at(rows.weight, i);
        sum = i == 0 ? weight * part : sx_fma(weight, part, sum);
    }
    return sum;
}

static void plain(
    const float *plane, int64_t in_width, float *y, int64_t out_width, sx_resize_taps rows, sx_resize_table columns) {
    if (rows.taps == 2 && columns.taps == 2) {
        for (int64_t w = 0; w < out_width; w++) y[w] = pixel_plain(plane, in_width, rows, columns, w, 2, 2);
    } else if (rows.taps == 1 && columns.taps == 1) {
        for (int64_t w = 0; w < out_width; w++) y[w] = pixel_plain(plane, in_width, rows, columns, w, 1, 1);
    } else {
        for (int64_t w = 0; w < out_width; w++)
            y[w] = pixel_plain(plane, in_width, rows, columns, w, rows.taps, columns.taps);
    }
}

static void blend(const float *x, float *y, int64_t n, sx_resize_taps taps) {
    for (int64_t i = 0; i < n; i += 16) {
        int64_t lanes = n - i < 16 ? n - i : 16;
        sx_vec sum = sx_vec_set(0.0f);
        for (int t = 0; t < taps.taps; t++) {
            sx_vec v = sx_load_lanes(x + taps.index[t] * n + i, lanes);
            sx_vec weight = sx_vec_set(weight_at(taps.weight, t));
            sum = t == 0 ? weight * v : sx_vec_fma(weight, v, sum);
        }
        if (lanes == 16)
            sx_vec_store(y + i, sum);
        else
            sx_vec_store_first(y + i, sum, lanes);
    }
}

static void twice(const float *x, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        sx_vec v = sx_vec_load(x + i);
        sx_vec_store(y + 2 * i, __builtin_shufflevector(v, v, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
        sx_vec_store(
            y + 2 * i + 16, __builtin_shufflevector(v, v, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15));
    }
    for (; i < n; i++) y[2 * i] = y[2 * i + 1] = x[i];
}

const sx_resize_kernels SX_ROW(sx_resize_kernels) = {plain, blocked, blend, twice};
