#ifndef SX_CONV_H
#define SX_CONV_H

#include <stdbool.h>
#include <stdint.h>

#include "sx_layout.h"
#include "sx_unary.h"

/// The geometry of one 2-D convolution, ONNX Conv: y[n, k, oy, ox] = sum over c, ky, kx of
/// x[n, c, oy stride_h - pad_top + ky dilation_h, ox stride_w - pad_left + kx dilation_w] w[k, c, ky, kx],
/// zero outside x. Padding at the end follows from `oh` and `ow`. A 1-D convolution has h = kh = oh = 1.
///
/// Input: plain (best for fewer than 16 channels) or blocked16. Output: plain, blocked16 or NHWC.
/// Group counts: any that divide c and k. Where c/groups or k/groups is not a multiple of 16 (and it is not
/// depthwise), groups that share a block of 16 output channels are packed together with zero weights between
/// them: right for finite input, while an infinity or NaN also reaches those neighbours.
typedef struct {
    int64_t n, c, h, w;
    int64_t k, kh, kw, oh, ow;
    int64_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int64_t groups;
    sx_layout input_layout, output_layout;
    /// Floats between two images of the output; 0: dense. Lets the output be a slice of a concatenation.
    int64_t output_batch_stride;
    /// NHWC output only: floats between two pixels, at least k; 0: k.
    int64_t output_pixel_stride;
} sx_conv_shape;

/// What happens to a sum before it is stored: y = activation(sum + bias + residual). The bias is packed with the
/// weights. NaN propagates. Padding lanes of a blocked16 output are stored as zero whatever the activation.
typedef struct {
    const float *residual;  ///< layout and strides of the output, which may be the output itself; or NULL
    sx_activation activation;
} sx_conv_epilogue;

/// The ways to compute a convolution; the packed weights belong to one of them.
typedef enum {
    SX_CONV_DIRECT = 0,     ///< implicit GEMM on blocked or plain input, dense or grouped
    SX_CONV_DEPTHWISE = 1,  ///< groups = c = k, blocked16 input
    SX_CONV_WINOGRAD = 2,   ///< F(4x4,3x3) for 3x3 without stride, dilation and groups, blocked16 input
    SX_CONV_ALGORITHM_COUNT
} sx_conv_algorithm;

/// The algorithm to use, by a model of the time that each takes: the same for a shape on every machine and for every
/// thread count. It may differ between spatial sizes and then needs weights packed for each.
/// `winograd` allows Winograd where it is faster; its weights take four times the memory.
sx_conv_algorithm sx_conv_choose(const sx_conv_shape *shape, bool winograd);

/// `direct`, `depthwise` ...: for profiles.
const char *sx_conv_algorithm_name(sx_conv_algorithm algorithm);

/// Multiply-accumulates that the algorithm executes in its products; the direct ones count every tap of every output.
/// Saturates at INT64_MAX.
int64_t sx_conv_executed_macs(const sx_conv_shape *shape, sx_conv_algorithm algorithm);

/// Bytes of the packed weights and bias; -1 where the size overflows.
int64_t sx_conv_packed_bytes(const sx_conv_shape *shape, sx_conv_algorithm algorithm);

/// Packs weights [k, c/groups, kh, kw] and bias [k] (or NULL) into `packed`, 64-byte aligned. The format is the same
/// at every ISA level. Afterwards `packed` is only read: threads and sessions may share it.
void sx_conv_pack(
    const sx_conv_shape *shape, sx_conv_algorithm algorithm, const float *weights, const float *bias, void *packed,
    int threads);

/// The error of an algorithm with these packed weights, relative to the output, both as root mean squares over every
/// output channel at a few pixels, against double precision on random activations: for a test at load time.
/// The weights are [k, c/groups, kh, kw], the bias [k] or NULL, as they were packed. The input is the same at every
/// call. NaN where an output is; infinity where memory is missing. Allocates for the time of the call.
double sx_conv_sample_error(
    const sx_conv_shape *shape, sx_conv_algorithm algorithm, const float *weights, const float *bias,
    const void *packed, int threads);

/// Bytes of scratch that `sx_conv` needs on at most `threads` threads; may be 0.
int64_t sx_conv_scratch_bytes(const sx_conv_shape *shape, sx_conv_algorithm algorithm, int threads);

/// y = convolution of x. `scratch` is 64-byte aligned (it may be NULL where 0 bytes are needed); x and y overlap
/// nothing but y the residual. Allocates nothing. The result is the same to the bit for any thread count.
void sx_conv(
    const sx_conv_shape *shape, sx_conv_algorithm algorithm, const float *x, const void *packed,
    const sx_conv_epilogue *epilogue, float *y, void *scratch, int threads);

enum { SX_CONV_MAX_PARTS = 8 };

/// One of up to SX_CONV_MAX_PARTS convolutions of the same input with the same window, padding and output pixels.
typedef struct {
    sx_conv_shape shape;
    sx_conv_algorithm algorithm;
    const void *packed;
    sx_conv_epilogue epilogue;
    float *y;
} sx_conv_part;

/// Bytes of scratch that `sx_conv_siblings` needs; of the parts only shapes and algorithms are read.
int64_t sx_conv_siblings_scratch_bytes(const sx_conv_part *parts, int count, int threads);

/// Every part's convolution of x, to the bit as by `sx_conv`; what they have in common is done once.
void sx_conv_siblings(const sx_conv_part *parts, int count, const float *x, void *scratch, int threads);

enum { SX_CONV_MAX_RANK = 4 };

/// The geometry of a convolution with 1 to SX_CONV_MAX_RANK spatial dimensions, outermost first, everything plain:
/// x [n, c, in...], weights [k, c/groups, kernel...], y [n, k, out...].
typedef struct {
    int64_t n, c, k, groups;
    int spatial_rank;
    int64_t in[SX_CONV_MAX_RANK], out[SX_CONV_MAX_RANK], kernel[SX_CONV_MAX_RANK], stride[SX_CONV_MAX_RANK];
    int64_t dilation[SX_CONV_MAX_RANK], pad_begin[SX_CONV_MAX_RANK];
} sx_conv_nd_shape;

/// Bytes of scratch that `sx_conv_nd` needs on at most `threads` threads.
int64_t sx_conv_nd_scratch_bytes(const sx_conv_nd_shape *shape, int threads);

/// ONNX Conv of any rank, for the shapes that have no faster way (3-D): blocks of columns times the weights.
/// `bias` [k] or NULL. `scratch` is 64-byte aligned. No overlap, no allocation. The result is the same to the bit for
/// any thread count.
void sx_conv_nd(
    const sx_conv_nd_shape *shape, const float *x, const float *weights, const float *bias, sx_activation activation,
    float *y, void *scratch, int threads);

/// Weights [c, k/groups, kernel...] of a transposed convolution in the order [k, kernel..., c/groups].
void sx_conv_transpose_pack(const sx_conv_nd_shape *shape, const float *weights, float *packed, int threads);

/// Bytes of scratch that `sx_conv_transpose` needs on at most `threads` threads.
int64_t sx_conv_transpose_scratch_bytes(const sx_conv_nd_shape *shape, int threads);

/// ONNX ConvTranspose of any rank. Here `in` is x [n, c, in...], `out` is y [n, k, out...] with output padding
/// included: x[i] w[t] is added to y[i stride - pad_begin + t dilation]. `packed` is from `sx_conv_transpose_pack`.
/// `bias` [k] or NULL. `scratch` is 64-byte aligned. No overlap, no allocation. The result is the same to the bit for
/// any thread count.
void sx_conv_transpose(
    const sx_conv_nd_shape *shape, const float *x, const float *packed, const float *bias, sx_activation activation,
    float *y, void *scratch, int threads);

#endif
