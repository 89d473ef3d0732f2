#ifndef SX_VECTOR_SUM_H
#define SX_VECTOR_SUM_H

// Sums and folds over rows and columns. A sum adds in float64, so that its error does not grow with the length and
// its float32 result is practically the same in every order of the additions (plain or blocked layout).

#include "vector.h"

typedef double sx_dvec __attribute__((ext_vector_type(16)));
typedef sx_vec (*sx_term)(sx_vec x, sx_vec shift);
typedef sx_vec (*sx_fold)(sx_vec a, sx_vec b);

SX_INLINE sx_vec sx_term_value(sx_vec x, sx_vec shift) { return x; }
SX_INLINE sx_vec sx_term_abs(sx_vec x, sx_vec shift) { return sx_vec_abs(x); }
SX_INLINE sx_vec sx_term_square(sx_vec x, sx_vec shift) { return x * x; }
SX_INLINE sx_vec sx_term_squared_deviation(sx_vec x, sx_vec shift) { return (x - shift) * (x - shift); }

SX_INLINE sx_vec sx_fold_max(sx_vec a, sx_vec b) { return sx_vec_select(b != b, b, sx_vec_at_least(a, b)); }
SX_INLINE sx_vec sx_fold_min(sx_vec a, sx_vec b) { return sx_vec_select(b != b, b, sx_vec_at_most(a, b)); }

SX_INLINE sx_vec sx_load_lanes(const float *x, int64_t lanes) {
    return lanes >= 16 ? sx_vec_load(x) : sx_vec_load_first(x, lanes);
}

/// The sum of all lanes, in pairs: lane i and i + 8, then + 4 ...
SX_INLINE double sx_dvec_sum(sx_dvec x) {
    x += __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    return x[0] + x[1];
}

/// total[v] += sum over `steps` of term(x[step stride + 16 v ...]); with one vector only its first `lanes` are read.
SX_INLINE void sx_sum_steps(
    const float *x, int64_t steps, int64_t stride, int vectors, int64_t lanes, sx_term term, const sx_vec *shift,
    sx_dvec *total) {
    for (int64_t s = 0; s < steps; s++)
#pragma unroll
        for (int v = 0; v < vectors; v++)
            total[v] += __builtin_convertvector(
                term(sx_load_lanes(x + s * stride + 16 * v, vectors == 1 ? lanes : 16), shift[v]), sx_dvec);
}

/// Sum of term(x[i], shift) over n contiguous elements.
SX_INLINE double sx_sum_row(const float *x, int64_t n, sx_term term, float shift) {
    sx_vec shifts[4] = {shift, shift, shift, shift};
    sx_dvec total[4] = {0, 0, 0, 0};
    int64_t wide = n / 64, narrow = n % 64 / 16, tail = n % 16;
    sx_sum_steps(x, wide, 64, 4, 16, term, shifts, total);
    sx_sum_steps(x + 64 * wide, narrow, 16, 1, 16, term, shifts, total);
    double sum = sx_dvec_sum((total[0] + total[1]) + (total[2] + total[3]));
    if (tail) {
        sx_vec last = term(sx_vec_load_first(x + n - tail, tail), shifts[0]);
        for (int64_t i = 0; i < tail; i++) sum += last[i];
    }
    return sum;
}

/// Folds x[step stride + 16 v ...] into result[v].
SX_INLINE void sx_fold_steps(
    const float *x, int64_t steps, int64_t stride, int vectors, int64_t lanes, sx_fold fold, sx_vec *result) {
    for (int64_t s = 0; s < steps; s++)
#pragma unroll
        for (int v = 0; v < vectors; v++)
            result[v] = fold(result[v], sx_load_lanes(x + s * stride + 16 * v, vectors == 1 ? lanes : 16));
}

/// Folds n contiguous elements; `neutral` for none.
SX_INLINE float sx_fold_row(const float *x, int64_t n, sx_fold fold, float neutral) {
    sx_vec result[4] = {neutral, neutral, neutral, neutral};
    int64_t wide = n / 64, narrow = n % 64 / 16, tail = n % 16;
    sx_fold_steps(x, wide, 64, 4, 16, fold, result);
    sx_fold_steps(x + 64 * wide, narrow, 16, 1, 16, fold, result);
    sx_vec all = fold(fold(result[0], result[1]), fold(result[2], result[3]));
    if (tail) {
        sx_vec last = sx_vec_load_first(x + n - tail, tail);
        all = fold(all, sx_vec_select(sx_vec_first_mask(tail), last, sx_vec_set(neutral)));
    }
    all = fold(all, __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    all = fold(all, __builtin_shufflevector(all, all, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    all = fold(all, __builtin_shufflevector(all, all, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
    all = fold(all, __builtin_shufflevector(all, all, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
    return all[0];
}

#endif
