#ifndef SX_PEAK_KERNELS_H
#define SX_PEAK_KERNELS_H

#include <stdint.h>

typedef struct {
    /// `rounds` times SX_PEAK_MACS_PER_ROUND multiply-adds in independent chains of 16 lanes, as many chains as the
    /// registers hold; the result keeps them alive.
    float (*multiply_add)(int64_t rounds);
    /// Sum of n floats, n a multiple of 64.
    float (*read)(const float *x, int64_t n);
} sx_peak_kernels;

enum { SX_PEAK_MACS_PER_ROUND = 12 * 16 };

#endif
