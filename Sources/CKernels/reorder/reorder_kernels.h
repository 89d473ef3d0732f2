#ifndef SX_REORDER_KERNELS_H
#define SX_REORDER_KERNELS_H

#include <stdint.h>

/// Transposes between `channels` (1 to 16) planes of `pixels` floats, `plane_stride` floats apart, and [pixels][16].
/// `block` writes lanes past the channels as zero, `unblock` does not read them.
typedef void (*sx_reorder_kernel)(
    const float *src, float *dst, int64_t pixels, int64_t channels, int64_t plane_stride);

typedef struct {
    sx_reorder_kernel block, unblock;
} sx_reorder_kernels;

#endif
