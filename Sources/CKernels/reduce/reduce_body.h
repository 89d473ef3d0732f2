#include "../base/vector_sum.h"
#include "reduce_kernels.h"

SX_INLINE sx_vec exp_shifted(sx_vec x, sx_vec shift) { return sx_vec_exp(x - shift); }
SX_INLINE sx_vec product(sx_vec a, sx_vec b) { return a * b; }

/// An infinite maximum would make inf - inf; 0 leaves inf or 0 as the sum.
SX_INLINE float finite_shift(float top) { return top == INFINITY || top == -INFINITY ? 0.0f : top; }

static float finish(sx_reduce_op op, double sum, int64_t n, float shift) {
    switch (op) {
    case SX_REDUCE_MEAN: return (float)(sum / (double)n);
    case SX_REDUCE_L2: return (float)sqrt(sum);
    case SX_REDUCE_LOG_SUM: return (float)log(sum);
    case SX_REDUCE_LOG_SUM_EXP: return (float)(log(sum) + shift);
    default: return (float)sum;
    }
}

static float row(sx_reduce_op op, const float *x, int64_t n) {
    float shift = 0.0f;
    double sum = 0.0;
    switch (op) {
    case SX_REDUCE_MAX: return sx_fold_row(x, n, sx_fold_max, -INFINITY);
    case SX_REDUCE_MIN: return sx_fold_row(x, n, sx_fold_min, INFINITY);
    case SX_REDUCE_PROD: return sx_fold_row(x, n, product, 1.0f);
    case SX_REDUCE_L1: sum = sx_sum_row(x, n, sx_term_abs, 0.0f); break;
    case SX_REDUCE_L2:
    case SX_REDUCE_SUM_SQUARE: sum = sx_sum_row(x, n, sx_term_square, 0.0f); break;
    case SX_REDUCE_LOG_SUM_EXP:
        shift = finite_shift(sx_fold_row(x, n, sx_fold_max, -INFINITY));
        sum = sx_sum_row(x, n, exp_shifted, shift);
        break;
    default: sum = sx_sum_row(x, n, sx_term_value, 0.0f); break;
    }
    return finish(op, sum, n, shift);
}

SX_INLINE void fold_columns(
    const float *x, float *y, int64_t axis, int64_t stride, int vectors, int64_t lanes, sx_fold fold,
    float neutral) {
    sx_vec result[4] = {neutral, neutral, neutral, neutral};
    sx_fold_steps(x, axis, stride, vectors, lanes, fold, result);
    for (int v = 0; v < vectors; v++) sx_vec_store_first(y + 16 * v, result[v], vectors == 1 ? lanes : 16);
}

SX_INLINE void sum_columns(
    sx_reduce_op op, const float *x, float *y, int64_t axis, int64_t stride, int vectors, int64_t lanes,
    sx_term term, const sx_vec *shift) {
    sx_dvec total[4] = {0, 0, 0, 0};
    sx_sum_steps(x, axis, stride, vectors, lanes, term, shift, total);
    for (int v = 0; v < vectors; v++)
        for (int i = 0; i < (vectors == 1 ? lanes : 16); i++)
            y[16 * v + i] = finish(op, total[v][i], axis, shift[v][i]);
}

SX_INLINE void column_group(
    sx_reduce_op op, const float *x, float *y, int64_t axis, int64_t stride, int vectors, int64_t lanes) {
    sx_vec shift[4] = {0, 0, 0, 0};
    switch (op) {
    case SX_REDUCE_MAX: fold_columns(x, y, axis, stride, vectors, lanes, sx_fold_max, -INFINITY); break;
    case SX_REDUCE_MIN: fold_columns(x, y, axis, stride, vectors, lanes, sx_fold_min, INFINITY); break;
    case SX_REDUCE_PROD: fold_columns(x, y, axis, stride, vectors, lanes, product, 1.0f); break;
    case SX_REDUCE_L1: sum_columns(op, x, y, axis, stride, vectors, lanes, sx_term_abs, shift); break;
    case SX_REDUCE_L2:
    case SX_REDUCE_SUM_SQUARE: sum_columns(op, x, y, axis, stride, vectors, lanes, sx_term_square, shift); break;
    case SX_REDUCE_LOG_SUM_EXP:
        for (int v = 0; v < vectors; v++) shift[v] = sx_vec_set(-INFINITY);
        sx_fold_steps(x, axis, stride, vectors, lanes, sx_fold_max, shift);
        for (int v = 0; v < vectors; v++)
            for (int i = 0; i < 16; i++) shift[v][i] = finite_shift(shift[v][i]);
        sum_columns(op, x, y, axis, stride, vectors, lanes, exp_shifted, shift);
        break;
    default: sum_columns(op, x, y, axis, stride, vectors, lanes, sx_term_value, shift); break;
    }
}

static void columns(sx_reduce_op op, const float *x, float *y, int64_t axis, int64_t stride, int64_t columns) {
    if (columns == SX_REDUCE_COLUMNS) {
        column_group(op, x, y, axis, stride, 4, 16);
        return;
    }
    for (int64_t c = 0; c < columns; c += 16)
        column_group(op, x + c, y + c, axis, stride, 1, columns - c < 16 ? columns - c : 16);
}

static int64_t find(const float *x, int64_t n, float value) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        sx_vec v = sx_vec_load(x + i);
        sx_ivec found = value == value ? v == value : v != v;
        if (__builtin_reduce_or(found)) break;
    }
    while (i < n && (value == value ? x[i] != value : x[i] == x[i])) i++;
    return i;
}

/// Integers that order as the numbers do, or the other way round; NaN is above all.
SX_INLINE sx_ivec ranks(const float *x, int64_t lanes, bool is_greatest) {
    sx_ivec bits = (sx_ivec)sx_load_lanes(x, lanes), order = bits < 0 ? INT32_MIN - bits : bits;
    sx_ivec turned = is_greatest ? order : ~order;
    return (bits & INT32_MAX) > 0x7f800000 ? (sx_ivec)INT32_MAX : turned;
}

enum { ARG_VECTORS = 2 };  // best elements and their indices stay in registers

SX_INLINE void arg_group(
    const float *x, int64_t *y, int64_t axis, int64_t stride, int vectors, int64_t lanes, bool is_greatest,
    bool is_last) {
    sx_ivec best[ARG_VECTORS], found[ARG_VECTORS] = {0, 0};
    for (int v = 0; v < vectors; v++) best[v] = ranks(x + 16 * v, lanes, is_greatest);
    for (int64_t s = 1; s < axis; s++)
#pragma unroll
        for (int v = 0; v < vectors; v++) {
            sx_ivec rank = ranks(x + s * stride + 16 * v, lanes, is_greatest);
            sx_ivec is_taken = is_last ? rank >= best[v] : rank > best[v];
            best[v] = is_taken ? rank : best[v];
            found[v] = is_taken ? (sx_ivec)(int32_t)s : found[v];
        }
    for (int v = 0; v < vectors; v++)
        for (int i = 0; i < lanes; i++) y[16 * v + i] = found[v][i];
}

SX_INLINE void arg_columns_of(
    const float *x, int64_t *y, int64_t axis, int64_t stride, int64_t columns, bool is_greatest, bool is_last) {
    int64_t c = 0;
    for (; c + 16 * ARG_VECTORS <= columns; c += 16 * ARG_VECTORS)
        arg_group(x + c, y + c, axis, stride, ARG_VECTORS, 16, is_greatest, is_last);
    for (; c < columns; c += 16)
        arg_group(x + c, y + c, axis, stride, 1, columns - c < 16 ? columns - c : 16, is_greatest, is_last);
}

static void arg_columns(
    const float *x, int64_t *y, int64_t axis, int64_t stride, int64_t columns, bool is_greatest, bool is_last) {
    if (is_greatest && !is_last)
        arg_columns_of(x, y, axis, stride, columns, true, false);
    else if (is_greatest)
        arg_columns_of(x, y, axis, stride, columns, true, true);
    else if (!is_last)
        arg_columns_of(x, y, axis, stride, columns, false, false);
    else
        arg_columns_of(x, y, axis, stride, columns, false, true);
}

const sx_reduce_kernels SX_ROW(sx_reduce_kernels) = {row, columns, arg_columns, find};
