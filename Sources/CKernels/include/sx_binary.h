#ifndef SX_BINARY_H
#define SX_BINARY_H

#include <stdint.h>

/// Elementwise float32 functions of two arguments, ONNX semantics; NaN propagates (min and max too).
/// Subnormal arguments and results may count as zero.
typedef enum {
    SX_BINARY_ADD = 0,
    SX_BINARY_SUB,
    SX_BINARY_MUL,
    SX_BINARY_DIV,
    SX_BINARY_MIN,
    SX_BINARY_MAX,
    SX_BINARY_POW,    ///< a to the power b
    SX_BINARY_PRELU,  ///< a < 0 ? a b : a
    SX_BINARY_COUNT
} sx_binary_op;

enum { SX_BINARY_MAX_RANK = 16 };

/// y[i0, i1, ...] = f(a[...], b[...]); `y` is contiguous with shape `dims` [rank], outermost first.
/// Strides are in elements, outermost first; 0 broadcasts. Rank 0 to SX_BINARY_MAX_RANK; dims need not be
/// collapsed. `y` may be `a` or `b` where that operand has y's own contiguous strides; other overlap is not
/// allowed. A channel operand in blocked16 layout [N, C/16, H W, 16] has strides [0, 16, 0, 1].
void sx_binary(
    sx_binary_op op, const float *a, const float *b, float *y, int rank, const int64_t *dims,
    const int64_t *stride_a, const int64_t *stride_b, int threads);

#endif
