#ifndef SX_POOL_H
#define SX_POOL_H

#include <stdbool.h>
#include <stdint.h>

enum { SX_POOL_MAX_RANK = 6 };

/// The geometry of one pooling: x [N, C, in...], y [N, C, out...] in plain layout, or [N, ceil(C/16), ..., 16] in
/// blocked16 layout (padding lanes of x are zero and stay zero in y). Output position o reads the taps
/// `o stride - pad_begin + t dilation`, t in [0, kernel). Every window must hold at least one tap inside x.
/// Dimensions are outermost first; entries past `spatial_rank` are not read.
typedef struct {
    int64_t batch, channels;
    bool blocked;
    int spatial_rank;  ///< 1 to SX_POOL_MAX_RANK
    int64_t in[SX_POOL_MAX_RANK], out[SX_POOL_MAX_RANK], kernel[SX_POOL_MAX_RANK], stride[SX_POOL_MAX_RANK];
    int64_t dilation[SX_POOL_MAX_RANK], pad_begin[SX_POOL_MAX_RANK], pad_end[SX_POOL_MAX_RANK];
} sx_pool_shape;

/// Maximum of each window; NaN propagates. `indices` [N, C, out...] (plain layout only, or NULL) gets the flat
/// offset of the first maximum in the whole of x, ONNX MaxPool: spatial dimensions row-major, or column-major
/// where `column_major`.
void sx_max_pool(
    const sx_pool_shape *shape, const float *x, float *y, int64_t *indices, bool column_major, int threads);

/// Mean of each window over the taps inside x, or, with `count_include_pad`, sum over the taps inside x divided by
/// the count of taps before `in + pad_end` (zeros for padding; PyTorch's and ONNX's rule in ceil mode).
/// Global average pooling is `sx_reduce(SX_REDUCE_MEAN, ...)`: [N C, H W, 1] plain, [N C/16, H W, 16] blocked.
void sx_average_pool(const sx_pool_shape *shape, const float *x, float *y, bool count_include_pad, int threads);

#endif
