#include "direct_job.h"

#include <assert.h>

enum {
    SLICE_BYTES = 160 << 10,   // weights of one pass, so that they and the next pass's stay in L2
    INPUT_BYTES = 1024 << 10,  // input of a chunk, beside them
    CHUNKS_WANTED = 32,        // enough for 16 threads to share
};

static int64_t clamp(int64_t x, int64_t low, int64_t high) { return sx_min(sx_max(x, low), high); }

/// Whether every tap of every pixel is inside the input.
static bool sees_all(const sx_conv_shape *s) {
    return s->pad_top == 0 && s->pad_left == 0 && (s->oh - 1) * s->stride_h + (s->kh - 1) * s->dilation_h < s->h &&
           (s->ow - 1) * s->stride_w + (s->kw - 1) * s->dilation_w < s->w;
}

/// Whether the tiles of an image are cut from all of its pixels.
static bool scatters(const sx_direct_job *job) {
    const sx_conv_shape *s = &job->s;
    if (job->lanes == SX_BLOCK) return s->oh > 1 && sees_all(s);
    int64_t taps;
    return !__builtin_mul_overflow(s->kh * s->kw, job->panel_blocks, &taps) && taps <= SX_DIRECT_MAX_SCATTERED_TAPS &&
           sees_all(s);
}

/// Where the taps of a plain input are from the first one.
static void set_tap_offsets(sx_direct_job *job) {
    const sx_conv_shape *s = &job->s;
    int64_t *offset = job->tap_offsets;
    for (int64_t block = 0; block < job->panel_blocks; block++)
        for (int64_t row = 0; row < s->kh; row++)
            for (int64_t column = 0; column < s->kw; column++)
                *offset++ = (block * s->h + row * s->dilation_h) * s->w + column * s->dilation_w;
}

/// Tile width and panels from what the kernels offer.
static void set_tiles(sx_direct_job *job, const sx_conv_kernels *kernels) {
    const sx_conv_shape *s = &job->s;
    int64_t group_outputs = s->k / s->groups;
    job->panels_at_once = 1;
    job->tile_pixels = kernels->dense_pixels[0];
    for (int panels = 2; panels <= SX_CONV_MAX_PANELS; panels *= 2) {
        int64_t pixels = kernels->dense_pixels[panels - 1];
        // The panels of a tile read the same input blocks, so groups must not share one.
        bool fits = s->groups == 1 ? job->panels >= panels : group_outputs % (panels * SX_BLOCK) == 0;
        if (pixels > 0 && fits && (pixels == job->tile_pixels || job->row_pixels <= pixels)) {
            job->panels_at_once = panels;
            job->tile_pixels = pixels;
        }
    }
    assert(job->panels_at_once * job->tile_pixels <= SX_DIRECT_MAX_TILE_SUMS);
    job->row_tiles = sx_ceil_div(job->row_pixels, job->tile_pixels);
    job->tiles = job->row_tiles * (job->scatters ? 1 : s->oh);
}

static void set_chunks(sx_direct_job *job) {
    const sx_conv_shape *s = &job->s;
    int64_t taps = s->kh * s->kw, block_bytes = job->panels_at_once * taps * job->tap_floats * 4;
    // Without input channels one pass over no blocks still stores the bias.
    int64_t blocks = sx_max(job->panel_blocks, 1);
    int64_t passes = sx_ceil_div(blocks, clamp(SLICE_BYTES / block_bytes, 1, blocks));
    job->blocks_at_once = sx_ceil_div(job->panel_blocks, passes);

    int64_t rows_per_output = sx_min(s->stride_h, s->kh), tile_columns = job->tile_pixels * s->stride_w;
    int64_t tile_bytes = tile_columns * rows_per_output * job->panel_blocks * job->lanes * 4;
    job->chunk_tiles = clamp(INPUT_BYTES / sx_max(tile_bytes, 1), 8, SX_DIRECT_MAX_CHUNK_TILES);
    job->chunk_tiles = sx_ceil_div(job->tiles, sx_ceil_div(job->tiles, job->chunk_tiles));
    job->tile_chunks = sx_ceil_div(job->tiles, job->chunk_tiles);
    int64_t steps = sx_ceil_div(job->panels, job->panels_at_once);
    int64_t splits = clamp(CHUNKS_WANTED / sx_max(job->tile_chunks * s->n, 1), 1, steps);
    job->chunk_panels = sx_ceil_div(steps, splits) * job->panels_at_once;
    job->panel_chunks = sx_ceil_div(job->panels, job->chunk_panels);
}

void sx_direct_plan(
    sx_direct_job *job, const sx_conv_shape *shape, const sx_conv_epilogue *epilogue, float *y,
    const sx_conv_kernels *kernels) {
    *job = (sx_direct_job){.s = *shape};
    sx_conv_shape *s = &job->s;
    bool pointwise = s->kh == 1 && s->kw == 1 && s->stride_h == 1 && s->stride_w == 1 && s->pad_top == 0 &&
                     s->pad_left == 0 && s->oh == s->h && s->ow == s->w;
    if (pointwise) {
        s->w = s->ow = s->oh * s->ow;
        s->h = s->oh = 1;
    }
    job->kernel = kernels->dense;
    job->lanes = sx_conv_lanes(s);
    job->input_blocks = sx_conv_input_blocks(s);
    job->panel_blocks = sx_conv_panel_blocks(s);
    job->panels = sx_blocks(s->k);
    job->tap_floats = job->lanes * SX_BLOCK;
    job->image_floats = job->input_blocks * s->h * s->w * job->lanes;
    job->store = sx_conv_store_of(s, epilogue, y, &job->output_batch_stride);
    job->scatters = kernels->scatters && scatters(job);
    if (job->scatters && job->lanes == 1) set_tap_offsets(job);
    job->row_pixels = job->scatters ? s->oh * s->ow : s->ow;
    set_tiles(job, kernels);
    set_chunks(job);
}
