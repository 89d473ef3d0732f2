#ifndef SX_CONV_KERNELS_H
#define SX_CONV_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "sx_unary.h"

/// One micro-kernel call: a run of output pixels of one row times some panels of 16 output channels.
///
/// sum[panel][pixel][o] += over block, row, column, lane of
///     input[pixel pixel_stride + block block_stride + row row_stride + column column_stride + lane]
///   * weights[panel weights_panel_stride + block weights_block_stride + row weights_row_stride
///             + (column lanes + lane) 16 + o]
///
/// A depthwise kernel has no lane sum: lane o of the input meets lane o of the weights, `column 16 + o`.
/// All strides are in floats. No alignment is needed; nothing outside the addresses above is touched.
typedef struct {
    const float *input, *weights;
    int64_t pixel_stride, block_stride, row_stride, column_stride;
    int64_t weights_panel_stride, weights_block_stride, weights_row_stride;
    int64_t blocks, rows, columns, lanes;
    int panels, pixels;

    const float *ahead;  ///< weights wanted soon: after each tap `ahead_lines` lines more are prefetched
    int ahead_lines;

    /// Sums carried from call to call, [panel][pixel][16]. The first call starts from the bias instead, the last
    /// one stores to the output instead.
    float *partial;
    int64_t partial_panel_stride;
    bool first, last;

    const float *bias;  ///< [panels][16]
    const float *residual;
    float *output;
    int64_t output_pixel_stride, output_panel_stride;
    int tail;         ///< channels in the last panel, 1 to 16
    bool pads_tail;   ///< the output has all 16 lanes of the last panel: those past the tail are stored as zero
    bool clips;       ///< the activation is a clip to [low, high]
    float low, high;
    sx_activation activation;
} sx_conv_tile;

typedef void (*sx_conv_tile_kernel)(const sx_conv_tile *tile);

enum { SX_CONV_MAX_PANELS = 4, SX_CONV_MAX_PIXELS = 28 };

/// The convolution micro-kernels of one ISA: serial, stateless.
typedef struct {
    sx_conv_tile_kernel dense, depthwise;
    /// The most pixels of a dense tile of 1, 2, 3 and 4 panels; 0: no such tile.
    int dense_pixels[SX_CONV_MAX_PANELS];
    int depthwise_pixels;
} sx_conv_kernels;

/// Residual, activation and store of finished sums [panels][pixels][16], which it overwrites: for every activation
/// and tail. Kernels keep clips of whole panels to themselves.
void sx_conv_finish(const sx_conv_tile *tile, float *sums);

#endif
