#ifndef SX_UNARY_KERNELS_H
#define SX_UNARY_KERNELS_H

#include "sx_unary.h"

typedef struct {
    /// y[i] = f(x[i]) for n contiguous elements; y may be x.
    void (*row)(sx_activation f, const float *x, float *y, int64_t n);
} sx_unary_kernels;

/// The row kernel of the current ISA level, for other families' epilogues.
const sx_unary_kernels *sx_unary_current(void);

#endif
