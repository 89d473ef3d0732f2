#ifndef SX_REDUCE_H
#define SX_REDUCE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    SX_REDUCE_SUM = 0,
    SX_REDUCE_MEAN,
    SX_REDUCE_MAX,
    SX_REDUCE_MIN,
    SX_REDUCE_PROD,
    SX_REDUCE_L1,              ///< sum |x|
    SX_REDUCE_L2,              ///< sqrt(sum x^2)
    SX_REDUCE_SUM_SQUARE,
    SX_REDUCE_LOG_SUM,
    SX_REDUCE_LOG_SUM_EXP,     ///< the maximum subtracted first
    SX_REDUCE_COUNT
} sx_reduce_op;

/// y[o, i] = reduction of x[o, :, i]: x [outer, axis, inner], y [outer, inner]. An empty axis gives the
/// operation's neutral element (NaN for MEAN). Sums are added in blocks, so the error does not grow with the axis.
/// NaN propagates. No overlap.
void sx_reduce(
    sx_reduce_op op, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner, int threads);

/// y[o] = the first index of the greatest element of x[o, :], or of the least one; the first NaN is both.
/// x [outer, axis], axis at least 1.
void sx_arg_extreme(const float *x, int64_t *y, int64_t outer, int64_t axis, bool is_greatest, int threads);

/// y[o, i] = the index of the greatest or the least element of x[o, :, i], the first or the last one; NaN is both.
/// x [outer, axis, inner], axis from 1 to INT32_MAX. Subnormals count as themselves.
void sx_arg_extreme_columns(
    const float *x, int64_t *y, int64_t outer, int64_t axis, int64_t inner, bool is_greatest, bool is_last,
    int threads);

#endif
