#include <math.h>
#include <string.h>

#include "algorithms.h"
#include "conv_geometry.h"
#include "conv_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_conv_kernels
#define SX_TABLE "../conv/kernels.inc"
#include "../base/dispatch.h"

// Direct convolution: the output is cut into tiles of a few pixels of one row by 16, 32 or 64 channels, whose sums
// stay in registers over the whole reduction. Tiles near the border run the same kernel over the taps and pixels
// that meet the input, one call per distinct pixel range. A chunk of work is a run of tiles times a range of
// channels; within it the channels are the outer loop, so that their weights are fetched once for all its tiles.

enum {
    BLOCKS_AT_ONCE = 16,     // input blocks per pass of a 1x1 kernel: their weights stay in L1
    TILES_AT_MOST = 32,      // tiles in a chunk, which bounds the carried sums on the stack
    CARRIED_TILES = 8,       // tiles in a chunk where sums are carried between passes
    CHUNKS_WANTED = 32,      // enough for 16 threads to share
    INPUT_BYTES = 768 << 10  // input of a chunk, to stay in L2
};

typedef struct {
    sx_conv_shape s;
    const float *x, *weights, *bias;
    const sx_conv_epilogue *epilogue;
    float *y;
    sx_conv_tile_kernel kernel;
    bool depthwise, clips;
    float low, high;
    int64_t lanes, input_blocks, panel_blocks, panels;
    int64_t panels_at_once, blocks_at_once;
    int64_t tile_pixels, row_tiles, tiles, chunk_tiles, tile_chunks, chunk_panels, panel_chunks;
    int64_t image_floats, output_pixel_stride, output_panel_stride, output_batch_stride;
} conv_job;

static int64_t clamp(int64_t x, int64_t low, int64_t high) { return sx_min(sx_max(x, low), high); }

/// The quotient rounded up, for a positive divisor and any dividend.
static int64_t ceil_div_signed(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

/// The sub-range of [0, count) with 0 <= start + i step < extent.
static void valid_range(int64_t start, int64_t step, int64_t extent, int64_t count, int64_t *begin, int64_t *end) {
    *begin = clamp(ceil_div_signed(-start, step), 0, count);
    *end = clamp(ceil_div_signed(extent - start, step), *begin, count);
}

/// A tile of plain output is finished in a buffer of panels, then transposed.
typedef struct {
    float buffer[SX_CONV_MAX_PANELS * SX_CONV_MAX_PIXELS * SX_BLOCK] __attribute__((aligned(64)));
    float *y;
    int64_t channels, pixels, channel_stride;
} plain_tile;

static void begin_plain(plain_tile *plain, sx_conv_tile *tile, const float *residual) {
    tile->output = plain->buffer;
    tile->output_pixel_stride = SX_BLOCK;
    tile->output_panel_stride = plain->pixels * SX_BLOCK;
    tile->pads_tail = false;
    tile->residual = NULL;
    if (!residual) return;
    tile->residual = plain->buffer;
    for (int64_t k = 0; k < plain->channels; k++)
        for (int64_t i = 0; i < plain->pixels; i++)
            plain->buffer[(k / SX_BLOCK * plain->pixels + i) * SX_BLOCK + k % SX_BLOCK] =
                residual[k * plain->channel_stride + i];
}

static void end_plain(const plain_tile *plain) {
    for (int64_t k = 0; k < plain->channels; k++)
        for (int64_t i = 0; i < plain->pixels; i++)
            plain->y[k * plain->channel_stride + i] =
                plain->buffer[(k / SX_BLOCK * plain->pixels + i) * SX_BLOCK + k % SX_BLOCK];
}

/// Runs the taps of one tile: all at once inside, else one call per run of columns that meet the same pixels.
static void run_taps(const conv_job *job, sx_conv_tile *tile, int64_t ox, float *partial) {
    const sx_conv_shape *s = &job->s;
    int64_t column_floats = (job->depthwise ? 1 : job->lanes) * SX_BLOCK;
    int64_t first_x = ox * s->stride_w - s->pad_left;
    int64_t last_x = first_x + (tile->pixels - 1) * s->stride_w + (s->kw - 1) * s->dilation_w;
    if (first_x >= 0 && last_x < s->w) {
        tile->columns = s->kw;
        job->kernel(tile);
        return;
    }
    sx_conv_tile call = *tile;
    call.first = call.last = false;
    call.partial = partial;
    call.partial_panel_stride = (int64_t)tile->pixels * SX_BLOCK;
    if (tile->first)
        for (int panel = 0; panel < tile->panels; panel++)
            for (int pixel = 0; pixel < tile->pixels; pixel++)
                memcpy(
                    partial + (panel * tile->pixels + pixel) * SX_BLOCK, tile->bias + panel * SX_BLOCK,
                    SX_BLOCK * sizeof(float));
    // The columns that meet every pixel are kept for the last call, which ends the tile.
    int64_t whole_begin = 0, whole_end = 0;
    for (int64_t column = 0, next; column < s->kw; column = next) {
        int64_t begin, end, next_begin, next_end;
        valid_range(first_x + column * s->dilation_w, s->stride_w, s->w, tile->pixels, &begin, &end);
        for (next = column + 1; next < s->kw; next++) {
            valid_range(first_x + next * s->dilation_w, s->stride_w, s->w, tile->pixels, &next_begin, &next_end);
            if (next_begin != begin || next_end != end) break;
        }
        if (begin == 0 && end == tile->pixels) {
            whole_begin = column;
            whole_end = next;
        } else if (begin < end) {
            call.pixels = (int)(end - begin);
            call.columns = next - column;
            call.input = tile->input + column * tile->column_stride + begin * tile->pixel_stride;
            call.weights = tile->weights + column * column_floats;
            call.partial = partial + begin * SX_BLOCK;
            job->kernel(&call);
        }
    }
    sx_conv_tile final = *tile;
    final.first = false;
    final.partial = partial;
    final.partial_panel_stride = call.partial_panel_stride;
    final.columns = whole_end - whole_begin;
    final.input += whole_begin * tile->column_stride;
    final.weights += whole_begin * column_floats;
    job->kernel(&final);
}

/// One tile: `panels` panels from `panel`, input blocks [block, block + blocks) of those the panels read.
static void run_tile(
    const conv_job *job, int64_t image, int64_t index, int64_t panel, int panels, int64_t block, int64_t blocks,
    float *partial) {
    const sx_conv_shape *s = &job->s;
    int64_t oy = index / job->row_tiles, in_row = index % job->row_tiles;
    int64_t ox = in_row * s->ow / job->row_tiles, ox_end = (in_row + 1) * s->ow / job->row_tiles;
    int64_t taps = s->kh * s->kw, tap_floats = (job->depthwise ? 1 : job->lanes) * SX_BLOCK;
    int64_t first_block = job->depthwise ? panel : sx_conv_first_block(s, panel, job->panel_blocks);
    int64_t iy = oy * s->stride_h - s->pad_top, row_begin, row_end;
    valid_range(iy, s->dilation_h, s->h, s->kh, &row_begin, &row_end);

    sx_conv_tile tile = {
        .pixel_stride = s->stride_w * job->lanes,
        .block_stride = s->h * s->w * job->lanes,
        .row_stride = s->dilation_h * s->w * job->lanes,
        .column_stride = s->dilation_w * job->lanes,
        .weights_panel_stride = job->panel_blocks * taps * tap_floats,
        .weights_block_stride = taps * tap_floats,
        .weights_row_stride = s->kw * tap_floats,
        .blocks = blocks,
        .rows = row_end - row_begin,
        .lanes = job->lanes,
        .panels = panels,
        .pixels = (int)(ox_end - ox),
        .partial = partial,
        .partial_panel_stride = (ox_end - ox) * SX_BLOCK,
        .first = block == 0,
        .last = block + blocks == job->panel_blocks,
        .bias = job->bias + panel * SX_BLOCK,
        .output_pixel_stride = job->output_pixel_stride,
        .output_panel_stride = job->output_panel_stride,
        .tail = (int)sx_min(s->k - (panel + panels - 1) * SX_BLOCK, SX_BLOCK),
        .pads_tail = s->output_layout == SX_LAYOUT_BLOCKED16,
        .clips = job->clips,
        .low = job->low,
        .high = job->high,
        .activation = job->epilogue->activation,
    };
    tile.weights = job->weights + panel * tile.weights_panel_stride + block * tile.weights_block_stride +
                   row_begin * tile.weights_row_stride;
    tile.input = job->x + image * job->image_floats + (first_block + block) * tile.block_stride +
                 (iy * s->w + ox * s->stride_w - s->pad_left) * job->lanes + row_begin * tile.row_stride;
    int64_t offset = image * job->output_batch_stride + panel * job->output_panel_stride +
                     (oy * s->ow + ox) * job->output_pixel_stride;
    const float *residual = job->epilogue->residual ? job->epilogue->residual + offset : NULL;
    tile.output = job->y + offset;
    tile.residual = residual;
    if (s->output_layout != SX_LAYOUT_PLAIN || !tile.last) {
        run_taps(job, &tile, ox, partial);
        return;
    }
    plain_tile plain;
    plain.y = tile.output;
    plain.channels = sx_min(s->k - panel * SX_BLOCK, (int64_t)panels * SX_BLOCK);
    plain.pixels = tile.pixels;
    plain.channel_stride = s->oh * s->ow;
    begin_plain(&plain, &tile, residual);
    run_taps(job, &tile, ox, partial);
    end_plain(&plain);
}

static void run_chunk(void *context, int64_t chunk, int worker) {
    (void)worker;
    const conv_job *job = context;
    int64_t panel_begin = chunk % job->panel_chunks * job->chunk_panels;
    int64_t panel_end = sx_min(panel_begin + job->chunk_panels, job->panels);
    int64_t image = chunk / job->panel_chunks / job->tile_chunks;
    int64_t tile_begin = chunk / job->panel_chunks % job->tile_chunks * job->chunk_tiles;
    int64_t tile_end = sx_min(tile_begin + job->chunk_tiles, job->tiles);
    float partial[CARRIED_TILES * SX_CONV_MAX_PIXELS * SX_BLOCK * 2] __attribute__((aligned(64)));
    bool carried = job->blocks_at_once < job->panel_blocks;
    for (int64_t panel = panel_begin; panel < panel_end; panel += job->panels_at_once) {
        int panels = (int)sx_min(job->panels_at_once, panel_end - panel);
        for (int64_t block = 0; block < job->panel_blocks; block += job->blocks_at_once) {
            int64_t blocks = sx_min(job->blocks_at_once, job->panel_blocks - block);
            for (int64_t tile = tile_begin; tile < tile_end; tile++)
                run_tile(
                    job, image, tile, panel, panels, block, blocks,
                    partial + (carried ? tile - tile_begin : 0) * job->tile_pixels * panels * SX_BLOCK);
        }
    }
}

static void set_clip(conv_job *job) {
    sx_activation f = job->epilogue->activation;
    job->clips = f.op == SX_UNARY_IDENTITY || f.op == SX_UNARY_RELU || f.op == SX_UNARY_CLIP;
    job->low = f.op == SX_UNARY_RELU ? 0.0f : f.op == SX_UNARY_CLIP ? f.a : -INFINITY;
    job->high = f.op == SX_UNARY_CLIP ? f.b : INFINITY;
}

static void set_output_strides(conv_job *job) {
    const sx_conv_shape *s = &job->s;
    int64_t pixels = s->oh * s->ow;
    switch (s->output_layout) {
        case SX_LAYOUT_BLOCKED16:
            job->output_pixel_stride = SX_BLOCK;
            job->output_panel_stride = pixels * SX_BLOCK;
            job->output_batch_stride = job->panels * pixels * SX_BLOCK;
            break;
        case SX_LAYOUT_NHWC:
            job->output_pixel_stride = s->output_pixel_stride ? s->output_pixel_stride : s->k;
            job->output_panel_stride = SX_BLOCK;
            job->output_batch_stride = pixels * job->output_pixel_stride;
            break;
        case SX_LAYOUT_PLAIN:
            job->output_pixel_stride = 1;
            job->output_panel_stride = pixels * SX_BLOCK;
            job->output_batch_stride = s->k * pixels;
            break;
    }
    if (s->output_batch_stride) job->output_batch_stride = s->output_batch_stride;
}

/// Tile width and panels from what the kernels offer; the same for every thread count.
static void set_tiles(conv_job *job, const sx_conv_kernels *best) {
    const sx_conv_shape *s = &job->s;
    int64_t group_panels = s->groups == 1                        ? job->panels
                           : s->k / s->groups % SX_BLOCK == 0 ? s->k / s->groups / SX_BLOCK
                                                                : 1;
    job->panels_at_once = 1;
    job->tile_pixels = job->depthwise ? best->depthwise_pixels : best->dense_pixels[0];
    if (!job->depthwise)
        for (int panels = 2; panels <= SX_CONV_MAX_PANELS; panels++) {
            int64_t pixels = best->dense_pixels[panels - 1];
            // Groups must not share a tile; more panels pay where the row still fills the tile.
            bool fits = s->groups == 1 ? group_panels >= panels : group_panels % panels == 0;
            if (pixels > 0 && fits && (panels == 2 || (panels == 4 && s->ow <= pixels))) {
                job->panels_at_once = panels;
                job->tile_pixels = pixels;
            }
        }
    job->row_tiles = sx_ceil_div(s->ow, job->tile_pixels);
    job->tiles = job->row_tiles * s->oh;
}

static void set_chunks(conv_job *job) {
    const sx_conv_shape *s = &job->s;
    bool pointwise = s->kh * s->kw == 1 && !job->depthwise && job->lanes == SX_BLOCK;
    job->blocks_at_once = pointwise ? BLOCKS_AT_ONCE : job->panel_blocks;
    bool carried = job->blocks_at_once < job->panel_blocks;
    int64_t tile_bytes = job->tile_pixels * s->stride_w * sx_min(s->kh, 2) * job->panel_blocks * job->lanes * 4;
    job->chunk_tiles = clamp(INPUT_BYTES / tile_bytes, 4, carried ? CARRIED_TILES : TILES_AT_MOST);
    job->tile_chunks = sx_ceil_div(job->tiles, job->chunk_tiles);
    int64_t steps = sx_ceil_div(job->panels, job->panels_at_once);
    int64_t splits = clamp(CHUNKS_WANTED / sx_max(job->tile_chunks * s->n, 1), 1, steps);
    job->chunk_panels = sx_ceil_div(steps, splits) * job->panels_at_once;
    job->panel_chunks = sx_ceil_div(job->panels, job->chunk_panels);
}

static void run(
    bool depthwise, const sx_conv_shape *shape, const float *x, const float *packed, const sx_conv_epilogue *epilogue,
    float *y, int threads) {
    const sx_conv_kernels *best = kernels();
    conv_job job = {.s = *shape, .x = x, .epilogue = epilogue, .y = y, .depthwise = depthwise};
    sx_conv_shape *s = &job.s;
    bool pointwise = s->kh == 1 && s->kw == 1 && s->stride_h == 1 && s->stride_w == 1 && s->pad_top == 0 &&
                     s->pad_left == 0 && s->oh == s->h && s->ow == s->w;
    if (pointwise) {  // one row of all pixels
        s->w = s->ow = s->oh * s->ow;
        s->h = s->oh = 1;
    }
    job.kernel = depthwise ? best->depthwise : best->dense;
    job.lanes = sx_conv_lanes(s);
    job.input_blocks = sx_conv_input_blocks(s);
    job.panel_blocks = depthwise ? 1 : sx_conv_panel_blocks(s);
    job.panels = sx_blocks(s->k);
    job.image_floats = job.input_blocks * s->h * s->w * job.lanes;
    job.bias = packed;
    job.weights = packed + job.panels * SX_BLOCK;
    set_clip(&job);
    set_output_strides(&job);
    set_tiles(&job, best);
    set_chunks(&job);
    sx_parallel_for(threads, s->n * job.tile_chunks * job.panel_chunks, run_chunk, &job);
}

static bool suits_direct(const sx_conv_shape *shape) {
    (void)shape;
    return true;
}

static bool suits_depthwise(const sx_conv_shape *s) {
    return s->groups == s->c && s->c == s->k && s->groups > 1 && s->input_layout == SX_LAYOUT_BLOCKED16;
}

static int64_t no_scratch(const sx_conv_shape *shape, int threads) {
    (void)shape;
    (void)threads;
    return 0;
}

static void run_direct(
    const sx_conv_shape *shape, const float *x, const float *packed, const sx_conv_epilogue *epilogue, float *y,
    void *scratch, int threads) {
    (void)scratch;
    run(false, shape, x, packed, epilogue, y, threads);
}

static void run_depthwise(
    const sx_conv_shape *shape, const float *x, const float *packed, const sx_conv_epilogue *epilogue, float *y,
    void *scratch, int threads) {
    (void)scratch;
    run(true, shape, x, packed, epilogue, y, threads);
}

const sx_conv_method sx_conv_direct = {
    .name = "direct",
    .suits = suits_direct,
    .packed_floats = sx_conv_direct_packed_floats,
    .pack = sx_conv_direct_pack,
    .scratch_bytes = no_scratch,
    .run = run_direct,
};

const sx_conv_method sx_conv_depthwise = {
    .name = "depthwise",
    .suits = suits_depthwise,
    .packed_floats = sx_conv_depthwise_packed_floats,
    .pack = sx_conv_depthwise_pack,
    .scratch_bytes = no_scratch,
    .run = run_depthwise,
};
