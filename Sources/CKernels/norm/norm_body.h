#include "../base/vector_sum.h"
#include "norm_kernels.h"

static void moments(const float *x, int64_t n, float *mean, float *variance) {
    *mean = (float)(sx_sum_row(x, n, sx_term_value, 0.0f) / (double)n);
    *variance = (float)(sx_sum_row(x, n, sx_term_squared_deviation, *mean) / (double)n);
}

static float mean_square(const float *x, int64_t n) {
    return (float)(sx_sum_row(x, n, sx_term_square, 0.0f) / (double)n);
}

SX_INLINE sx_vec normalized(
    const float *x, int64_t lanes, float mean, float factor, const float *scale, const float *bias) {
    sx_vec v = (sx_load_lanes(x, lanes) - mean) * factor;
    if (scale) v *= sx_load_lanes(scale, lanes);
    return bias ? v + sx_load_lanes(bias, lanes) : v;
}

static void row(
    const float *x, float *y, int64_t n, float mean, float factor, const float *scale, const float *bias) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        sx_vec_store(y + i, normalized(x + i, 16, mean, factor, scale ? scale + i : NULL, bias ? bias + i : NULL));
    if (i < n) {
        sx_vec v = normalized(x + i, n - i, mean, factor, scale ? scale + i : NULL, bias ? bias + i : NULL);
        sx_vec_store_first(y + i, v, n - i);
    }
}

static void affine(const float *x, float *y, int64_t n, float mean, float scale, float shift) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) sx_vec_store(y + i, (sx_vec_load(x + i) - mean) * scale + shift);
    if (i < n) sx_vec_store_first(y + i, (sx_vec_load_first(x + i, n - i) - mean) * scale + shift, n - i);
}

static void blocked_affine(
    const float *x, float *y, int64_t pixels, int64_t lanes, const float *scale, const float *shift) {
    sx_vec s = sx_vec_load_first(scale, lanes), t = sx_vec_load_first(shift, lanes);
    for (int64_t i = 0; i < pixels; i++) sx_vec_store(y + 16 * i, sx_vec_load(x + 16 * i) * s + t);
}

const sx_norm_kernels SX_ROW(sx_norm_kernels) = {moments, mean_square, row, affine, blocked_affine};
