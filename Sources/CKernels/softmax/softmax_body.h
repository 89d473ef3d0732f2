#include "../base/vector_sum.h"
#include "softmax_kernels.h"

SX_INLINE sx_vec exp_shifted(sx_vec x, sx_vec shift) { return sx_vec_exp(x - shift); }

static void row(const float *x, float *y, int64_t n, bool logarithm) {
    float top = sx_fold_row(x, n, sx_fold_max, -INFINITY);
    if (logarithm) {
        double sum = sx_sum_row(x, n, exp_shifted, top);
        float shift = (float)log(sum);
        int64_t i = 0;
        for (; i + 16 <= n; i += 16) sx_vec_store(y + i, sx_vec_load(x + i) - top - shift);
        if (i < n) sx_vec_store_first(y + i, sx_vec_load_first(x + i, n - i) - top - shift, n - i);
        return;
    }
    sx_dvec total = 0;
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        sx_vec e = sx_vec_exp(sx_vec_load(x + i) - top);
        sx_vec_store(y + i, e);
        total += __builtin_convertvector(e, sx_dvec);
    }
    if (i < n) {
        sx_vec e = sx_vec_exp(sx_vec_load_first(x + i, n - i) - top);
        e = sx_vec_select(sx_vec_first_mask(n - i), e, sx_vec_set(0.0f));
        sx_vec_store_first(y + i, e, n - i);
        total += __builtin_convertvector(e, sx_dvec);
    }
    float factor = (float)(1.0 / sx_dvec_sum(total));
    for (i = 0; i + 16 <= n; i += 16) sx_vec_store(y + i, sx_vec_load(y + i) * factor);
    if (i < n) sx_vec_store_first(y + i, sx_vec_load_first(y + i, n - i) * factor, n - i);
}

/// One group of at most 16 columns.
static void column_group(const float *x, float *y, int64_t axis, int64_t stride, int64_t lanes, bool logarithm) {
    sx_vec top = sx_vec_set(-INFINITY);
    sx_fold_steps(x, axis, stride, 1, lanes, sx_fold_max, &top);
    sx_dvec total = 0;
    sx_sum_steps(x, axis, stride, 1, lanes, exp_shifted, &top, &total);
    sx_vec sum = __builtin_convertvector(total, sx_vec), log_sum = sx_vec_log(sum), factor = 1.0f / sum;
    for (int64_t i = 0; i < axis; i++) {
        sx_vec v = sx_load_lanes(x + i * stride, lanes) - top;
        sx_vec_store_first(y + i * stride, logarithm ? v - log_sum : sx_vec_exp(v) * factor, lanes);
    }
}

static void columns(const float *x, float *y, int64_t axis, int64_t stride, int64_t columns, bool logarithm) {
    for (int64_t i = 0; i < columns; i += 16)
        column_group(x + i, y + i, axis, stride, columns - i < 16 ? columns - i : 16, logarithm);
}

const sx_softmax_kernels SX_ROW(sx_softmax_kernels) = {row, columns};
