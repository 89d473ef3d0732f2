#ifndef SX_CONV_ALGORITHMS_H
#define SX_CONV_ALGORITHMS_H

#include "sx_conv.h"

/// One way to compute a convolution: a row of the table in conv.c. The functions mean what their public namesakes in
/// sx_conv.h say; sizes are -1 where they overflow.
typedef struct {
    const char *name;
    bool (*suits)(const sx_conv_shape *shape);
    int64_t (*packed_floats)(const sx_conv_shape *shape);
    void (*pack)(const sx_conv_shape *shape, const float *weights, const float *bias, float *packed, int threads);
    int64_t (*scratch_bytes)(const sx_conv_shape *shape, int threads);
    void (*run)(
        const sx_conv_shape *shape, const float *x, const float *packed, const sx_conv_epilogue *epilogue, float *y,
        void *scratch, int threads);
    int64_t (*executed_macs)(const sx_conv_shape *shape);  ///< NULL: every tap of every output
} sx_conv_method;

extern const sx_conv_method sx_conv_direct, sx_conv_depthwise, sx_conv_winograd;

int64_t sx_conv_direct_packed_floats(const sx_conv_shape *shape);
void sx_conv_direct_pack(
    const sx_conv_shape *shape, const float *weights, const float *bias, float *packed, int threads);

/// Writes the bias [k] (or zeros) padded to whole panels; returns where the weights begin.
float *sx_conv_pack_bias(const sx_conv_shape *shape, const float *bias, float *packed);

#endif
