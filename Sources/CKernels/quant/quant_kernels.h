#ifndef SX_QUANT_KERNELS_H
#define SX_QUANT_KERNELS_H

#include "sx_quant.h"

/// One group of n elements; parameters are at scale[i step], zero[i step].
typedef struct {
    void (*quantize)(
        const float *x, const float *scale, const int32_t *zero, int64_t step, int32_t low, int32_t high, void *y,
        int byte_size, int64_t n);
    void (*dequantize)(
        const void *x, bool is_signed, const float *scale, const int32_t *zero, int64_t step, float *y, int64_t n);
} sx_quant_kernels;

#endif
