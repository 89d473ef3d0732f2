#ifndef SX_SOFTMAX_H
#define SX_SOFTMAX_H

#include <stdbool.h>
#include <stdint.h>

/// Softmax (or its logarithm) along the middle axis of x [outer, axis, inner], the maximum subtracted first.
/// `y` may be `x`. Any alignment. A NaN makes its whole row NaN.
void sx_softmax(
    const float *x, float *y, int64_t outer, int64_t axis, int64_t inner, bool logarithm, int threads);

#endif
