#ifndef SX_REDUCE_KERNELS_H
#define SX_REDUCE_KERNELS_H

#include "sx_reduce.h"

enum { SX_REDUCE_COLUMNS = 64 };

typedef struct {
    /// Reduction of n contiguous elements.
    float (*row)(sx_reduce_op op, const float *x, int64_t n);
    /// y[c] = reduction of x[:, c] for `columns` <= SX_REDUCE_COLUMNS columns of x [axis, stride].
    void (*columns)(sx_reduce_op op, const float *x, float *y, int64_t axis, int64_t stride, int64_t columns);
    /// y[c] = index of the extreme element of x[:, c], as `sx_arg_extreme_columns` has it, for columns as above.
    void (*arg_columns)(
        const float *x, int64_t *y, int64_t axis, int64_t stride, int64_t columns, bool is_greatest, bool is_last);
    /// The first index of `value`, or of NaN, among n contiguous elements; n where there is none.
    int64_t (*find)(const float *x, int64_t n, float value);
} sx_reduce_kernels;

#endif
