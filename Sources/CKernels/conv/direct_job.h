#ifndef SX_DIRECT_JOB_H
#define SX_DIRECT_JOB_H

#include "conv_geometry.h"
#include "store.h"

enum {
    SX_DIRECT_MAX_CHUNK_TILES = 32,
    SX_DIRECT_MAX_SCATTERED_TAPS = 1024,
    /// The most sums, in vectors of 16, that one tile of any kernel holds: what registers allow.
    SX_DIRECT_MAX_TILE_SUMS = 28,
    /// Floats of carried sums per thread.
    SX_DIRECT_SCRATCH_FLOATS = SX_DIRECT_MAX_CHUNK_TILES * SX_DIRECT_MAX_TILE_SUMS * SX_BLOCK,
};

/// Everything that the chunks of one direct convolution share. Counts of panels and tiles cut the
/// output, `blocks_at_once` cuts the reduction into passes between which sums are carried in scratch.
typedef struct {
    sx_conv_shape s;  ///< a 1x1 convolution without stride appears as one row of all pixels
    const float *x, *weights, *bias;
    sx_conv_store store;
    float *scratch;
    sx_conv_tile_kernel kernel;
    int64_t lanes, input_blocks, panel_blocks, panels;
    int64_t tap_floats;  ///< packed weights of one panel, block and tap
    int64_t panels_at_once, blocks_at_once;
    /// The pixels that tiles are cut from: a row of the output, or, where a kernel scatters, all of an image's.
    int64_t row_pixels;
    bool scatters;
    int64_t tap_offsets[SX_DIRECT_MAX_SCATTERED_TAPS];  ///< of a plain input where a kernel scatters
    int64_t tile_pixels, row_tiles, tiles, chunk_tiles, tile_chunks, chunk_panels, panel_chunks;
    int64_t image_floats, output_batch_stride;
} sx_direct_job;

/// Cuts the work of a shape for the given kernels. The cut depends on the shape and the kernels only.
void sx_direct_plan(
    sx_direct_job *job, const sx_conv_shape *shape, const sx_conv_epilogue *epilogue, float *y,
    const sx_conv_kernels *kernels);

/// Whether the input is copied with its padding before the tiles are made.
bool sx_direct_pads(const sx_conv_shape *shape, const sx_conv_kernels *kernels);
/// The same convolution of the copy, which has the input's layout and the padding inside.
sx_conv_shape sx_direct_padded(const sx_conv_shape *shape);
int64_t sx_direct_padded_floats(const sx_conv_shape *shape);
void sx_direct_pad(const sx_conv_shape *shape, const float *x, float *copy, int threads);

#endif
