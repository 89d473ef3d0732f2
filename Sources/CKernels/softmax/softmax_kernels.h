#ifndef SX_SOFTMAX_KERNELS_H
#define SX_SOFTMAX_KERNELS_H

#include "sx_softmax.h"

typedef struct {
    /// Softmax of n contiguous elements; y may be x.
    void (*row)(const float *x, float *y, int64_t n, bool logarithm);
    /// Softmax down each of `columns` columns of x [axis, stride]; y has the same stride and may be x.
    void (*columns)(const float *x, float *y, int64_t axis, int64_t stride, int64_t columns, bool logarithm);
} sx_softmax_kernels;

/// The kernels of the current ISA level, for attention.
const sx_softmax_kernels *sx_softmax_current(void);

#endif
