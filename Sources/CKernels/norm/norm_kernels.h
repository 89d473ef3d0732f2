#ifndef SX_NORM_KERNELS_H
#define SX_NORM_KERNELS_H

#include "sx_norm.h"

typedef struct {
    /// Mean and variance about the mean of n contiguous elements.
    void (*moments)(const float *x, int64_t n, float *mean, float *variance);
    /// Mean of the squares.
    float (*mean_square)(const float *x, int64_t n);
    /// y[i] = (x[i] - mean) factor scale[i] + bias[i]; `scale` and `bias` may be NULL; y may be x.
    void (*row)(
        const float *x, float *y, int64_t n, float mean, float factor, const float *scale, const float *bias);
    /// y[i] = (x[i] - mean) scale + shift.
    void (*affine)(const float *x, float *y, int64_t n, float mean, float scale, float shift);
    /// y[i, lane] = x[i, lane] scale[lane] + shift[lane] for `pixels` of 16 lanes; lanes from `lanes` on are zero.
    void (*blocked_affine)(
        const float *x, float *y, int64_t pixels, int64_t lanes, const float *scale, const float *shift);
} sx_norm_kernels;

#endif
