#ifndef SX_RESIZE_KERNELS_H
#define SX_RESIZE_KERNELS_H

#include "sx_resize.h"

/// The input rows that one output row is made of.
typedef struct {
    int taps;
    const int32_t *index;
    const float *weight;  ///< NULL: one tap, a copy
} sx_resize_taps;

typedef struct {
    /// One output row of `out_width` pixels from a plane with rows of `in_width` pixels of 1 or 16 lanes.
    void (*plain)(
        const float *plane, int64_t in_width, float *y, int64_t out_width, sx_resize_taps rows,
        sx_resize_table columns);
    void (*blocked)(
        const float *plane, int64_t in_width, float *y, int64_t out_width, sx_resize_taps rows,
        sx_resize_table columns);
    /// y[i] = sum over t of weight[t] x[index[t] n + i] for n contiguous elements.
    void (*blend)(const float *x, float *y, int64_t n, sx_resize_taps taps);
    /// y[i] = x[i / 2] for n elements of x.
    void (*twice)(const float *x, float *y, int64_t n);
} sx_resize_kernels;

#endif
