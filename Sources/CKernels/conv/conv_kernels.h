#ifndef SX_CONV_KERNELS_H
#define SX_CONV_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "sx_unary.h"

/// What happens to finished sums: y = activation(sum + residual) is stored. Strides are in floats.
typedef struct {
    const float *residual;  ///< strides of the output, or NULL
    float *output;
    int64_t pixel_stride, panel_stride;
    int64_t lane_stride;  ///< 1 but in plain layout
    int tail;             ///< channels in the last panel, 1 to 16
    bool pads_tail;       ///< the output has all 16 lanes of the last panel: those past the tail are stored as zero
    bool clips;           ///< the activation is a clip to [low, high]
    bool leaks;           ///< the activation is LeakyRelu; low and high are infinite
    float low, high;
    sx_activation activation;
} sx_conv_store;

/// Whether kernels may store whole vectors, leaky or clipped, themselves.
static inline bool sx_conv_stores_vectors(const sx_conv_store *store) {
    return (store->clips || (store->leaks && !store->residual)) && store->tail == 16 && store->lane_stride == 1;
}

/// The store moved by `offset` floats.
static inline sx_conv_store sx_conv_store_at(const sx_conv_store *store, int64_t offset) {
    sx_conv_store moved = *store;
    moved.output += offset;
    if (moved.residual) moved.residual += offset;
    return moved;
}

/// Residual, activation and store of finished sums [panels][pixels][16], which it overwrites: for every activation,
/// tail and layout.
void sx_conv_finish(const sx_conv_store *store, int panels, int pixels, float *sums);

/// One micro-kernel call: tiles that follow each other in a row. A tile is a run of output pixels times some panels of
/// 16 output channels.
///
/// sum[panel][pixel][o] += over block, row, column, lane of
///     input[pixel pixel_stride + block block_stride + row row_stride + column column_stride + lane]
///   * weights[panel weights_panel_stride + block weights_block_stride + row weights_row_stride
///             + (column lanes + lane) 16 + o]
///
/// All strides are in floats. No alignment is needed; nothing outside the addresses above is touched.
typedef struct {
    const float *input, *weights;
    int64_t pixel_stride, block_stride, row_stride, column_stride;
    int64_t weights_panel_stride, weights_block_stride, weights_row_stride;
    int64_t blocks, rows, columns, lanes;
    int panels, pixels;
    /// For kernels that scatter, else NULL: floats from `input` to each pixel of the run, in place of `pixel_stride`;
    /// with one lane also those to each tap, in the order of the weights, in place of the other strides.
    const int64_t *pixel_offsets, *tap_offsets;

    int64_t count;  ///< tiles; each one's pixels follow the last one's

    const float *ahead;  ///< weights wanted soon: after each tap `ahead_lines` lines more are prefetched
    int64_t ahead_step;  ///< floats between what two tiles prefetch
    int ahead_lines;

    /// Sums carried from call to call, [tile][panel][pixel][16]. The first call starts from the bias instead, the last
    /// one stores to the output instead.
    float *partial;
    int64_t partial_panel_stride, partial_tile_stride;
    bool first, last;

    const float *bias;  ///< [panels][16]
    sx_conv_store store;
} sx_conv_tile;

typedef void (*sx_conv_tile_kernel)(const sx_conv_tile *tile);

/// Moves a tile on to the next one of its run.
static inline void sx_conv_next_tile(sx_conv_tile *tile) {
    tile->input += tile->pixels * tile->pixel_stride;
    tile->ahead += tile->ahead_step;
    tile->partial += tile->partial_tile_stride;
    tile->store = sx_conv_store_at(&tile->store, tile->pixels * tile->store.pixel_stride);
}

/// One row of output pixels of one block of 16 channels, each with its own filter. Columns outside the input are zero.
///
/// sum[pixel][o] = bias[o] + over row, column of
///     input[row row_stride + (first_column + pixel stride + column dilation) 16 + o]
///   * weights[(row columns + column) 16 + o]
typedef struct {
    const float *input;  ///< column 0 of the first row of taps
    const float *weights, *bias;
    int64_t row_stride;  ///< floats
    int64_t first_column, input_columns, stride, dilation;
    int64_t rows, columns;  ///< taps
    int64_t pixels;
    sx_conv_store store;
} sx_conv_depthwise_row;

/// Products of transformed tiles and weights: for every position, m[tile][o] = sum over channel of
/// v[channel / 16 block_stride + tile 16 + channel % 16] * u[channel 16 panels + o]. Strides are in floats.
typedef struct {
    const float *v, *u;
    float *m;  ///< [tile][16 panels]
    int64_t v_position, u_position, m_position;  ///< strides between positions
    int64_t block_stride, channels;
    int64_t positions, tiles;
    int panels;  ///< 1 or 2
} sx_winograd_product;

/// The finished sums of `tiles` tiles that follow each other in a row of tiles, for one panel.
typedef struct {
    const float *m;
    int64_t m_position, m_tile;
    const float *bias;    ///< [16]
    sx_conv_store store;  ///< the output at the first pixel of the first tile
    int64_t row_stride;   ///< floats between rows of the output
    int64_t tiles;
    int rows, columns;  ///< of each tile's 4 by 4 outputs, those that exist
} sx_winograd_outputs;

enum { SX_CONV_MAX_PANELS = 4, SX_CONV_MAX_PIXELS = 28 };

/// The convolution micro-kernels of one ISA: serial, stateless.
typedef struct {
    sx_conv_tile_kernel dense;
    /// The most pixels of a dense tile of 1, 2, 3 and 4 panels; 0: no such tile.
    int dense_pixels[SX_CONV_MAX_PANELS];
    bool scatters;  ///< dense tiles may have pixel and tap offsets, so that they run across rows
    void (*depthwise)(const sx_conv_depthwise_row *row);
    /// Transforms `tiles` windows of 6 by 6 pixels of 16 channels, 4 pixels apart in a row: v[position][tile][16].
    void (*winograd_input)(const float *input, int64_t row_stride, int64_t tiles, float *v, int64_t v_position);
    void (*winograd_product)(const sx_winograd_product *product);
    void (*winograd_output)(const sx_winograd_outputs *outputs);
} sx_conv_kernels;

#endif
