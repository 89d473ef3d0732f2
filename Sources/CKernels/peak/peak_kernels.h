#ifndef SX_PEAK_KERNELS_H
#define SX_PEAK_KERNELS_H

#include <stdint.h>

typedef struct {
    /// `rounds` times 12 independent chains of 16-lane fused multiply-adds; the result keeps them alive.
    float (*multiply_add)(int64_t rounds);
    /// Sum of n floats, n a multiple of 64.
    float (*read)(const float *x, int64_t n);
} sx_peak_kernels;

enum { SX_PEAK_MACS_PER_ROUND = 12 * 16 };

#endif
