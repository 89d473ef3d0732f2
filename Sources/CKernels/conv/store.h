#ifndef SX_CONV_STORE_H
#define SX_CONV_STORE_H

#include "conv_kernels.h"
#include "sx_conv.h"

/// The store of a convolution for its whole first image, with the tail of its last panel; `batch_stride` gets the
/// floats between two images.
sx_conv_store sx_conv_store_of(
    const sx_conv_shape *shape, const sx_conv_epilogue *epilogue, float *y, int64_t *batch_stride);

#endif
