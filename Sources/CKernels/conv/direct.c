#include <string.h>

#include "algorithms.h"
#include "direct_job.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_conv_kernels
#define SX_TABLE "../conv/kernels.inc"
#include "../base/dispatch.h"

// Direct convolution: the output is cut into tiles of a few pixels of one row by 16, 32 or 64 channels, whose sums
// stay in registers over a pass of the reduction. Tiles near the border run the same kernel over the taps and pixels
// that meet the input, one call per distinct pixel range. A chunk of work is a run of tiles times a range of
// channels. Within it channels are the outer loop, passes the middle one and tiles the inner one, so that the
// weights of a pass are fetched once for all tiles; the next pass's are prefetched meanwhile.

/// The quotient rounded up, for a positive divisor and any dividend.
static int64_t ceil_div_signed(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

/// The sub-range of [0, count) with 0 <= start + i step < extent.
static void valid_range(int64_t start, int64_t step, int64_t extent, int64_t count, int64_t *begin, int64_t *end) {
    *begin = sx_min(sx_max(ceil_div_signed(-start, step), 0), count);
    *end = sx_min(sx_max(ceil_div_signed(extent - start, step), *begin), count);
}

static void call_kernel(const sx_direct_job *job, sx_conv_tile *tile) {
    if (job->lanes == 1 && tile->column_stride == 1 && !tile->tap_offsets) {  // the columns of a plain row are like lanes
        tile->lanes = tile->columns;
        tile->columns = tile->lanes > 0;
    }
    job->kernel(tile);
}

/// Runs the taps of a tile that starts at output column `ox` and does not see all of its columns everywhere.
static void run_border(const sx_direct_job *job, sx_conv_tile *tile, int64_t first_x) {
    const sx_conv_shape *s = &job->s;
    if (tile->first)
        for (int panel = 0; panel < tile->panels; panel++)
            for (int pixel = 0; pixel < tile->pixels; pixel++)
                memcpy(
                    tile->partial + panel * tile->partial_panel_stride + pixel * SX_BLOCK,
                    tile->bias + panel * SX_BLOCK, SX_BLOCK * sizeof(float));
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
            sx_conv_tile call = *tile;
            call.first = call.last = false;
            call.ahead_lines = 0;
            call.pixels = (int)(end - begin);
            call.columns = next - column;
            call.input += column * tile->column_stride + begin * tile->pixel_stride;
            call.weights += column * job->tap_floats;
            call.partial += begin * SX_BLOCK;
            call_kernel(job, &call);
        }
    }
    tile->first = false;
    tile->columns = whole_end - whole_begin;
    tile->input += whole_begin * tile->column_stride;
    tile->weights += whole_begin * job->tap_floats;
    call_kernel(job, tile);
}

/// Tiles of one width that follow each other in a row.
typedef struct {
    int64_t oy, ox, pixels, count;
    bool inside;  ///< all columns of all taps are inside the input; else the count is 1
} tile_run;

/// A row is cut into wide tiles and then into tiles of one pixel less.
static tile_run run_at(const sx_direct_job *job, int64_t index, int64_t end) {
    const sx_conv_shape *s = &job->s;
    int64_t narrow = job->row_pixels / job->row_tiles, wides = job->row_pixels % job->row_tiles, in_row = index % job->row_tiles;
    bool is_wide = in_row < wides;
    tile_run run = {.oy = index / job->row_tiles, .ox = in_row * narrow + sx_min(in_row, wides)};
    run.pixels = narrow + is_wide;
    int64_t alike = sx_min((is_wide ? wides : job->row_tiles) - in_row, end - index);
    if (job->scatters) {
        run.inside = true;
        run.count = alike;
        return run;
    }
    int64_t first_x = run.ox * s->stride_w - s->pad_left, reach = (s->kw - 1) * s->dilation_w;
    int64_t room = s->w - 1 - reach - first_x;  // input columns that the first pixel could move on
    int64_t inside = first_x >= 0 && room >= 0 ? (room / s->stride_w + 1) / run.pixels : 0;
    run.inside = inside > 0;
    run.count = sx_min(alike, sx_max(inside, 1));
    return run;
}

/// Where in a plane of the input `count` output pixels from `pixel` on begin.
static void set_offsets(const sx_conv_shape *s, int64_t pixel, int64_t count, int64_t *offsets) {
    int64_t y = pixel / s->ow, x = pixel % s->ow;
    for (int64_t i = 0; i < count; i++) {
        offsets[i] = (y * s->stride_h * s->w + x * s->stride_w) * sx_conv_lanes(s);
        if (++x == s->ow) {
            x = 0;
            y++;
        }
    }
}

/// What the tiles of one pass have in common: `panels` panels from `panel`, input blocks [block, block + blocks) of
/// those that the panels read.
static sx_conv_tile pass_tile(const sx_direct_job *job, int64_t panel, int panels, int64_t block, int64_t blocks) {
    const sx_conv_shape *s = &job->s;
    int64_t taps = s->kh * s->kw;
    sx_conv_tile tile = {
        .pixel_stride = s->stride_w * job->lanes,
        .block_stride = s->h * s->w * job->lanes,
        .row_stride = s->dilation_h * s->w * job->lanes,
        .column_stride = s->dilation_w * job->lanes,
        .weights_panel_stride = job->panel_blocks * taps * job->tap_floats,
        .weights_block_stride = taps * job->tap_floats,
        .weights_row_stride = s->kw * job->tap_floats,
        .blocks = blocks,
        .lanes = job->lanes,
        .panels = panels,
        .first = block == 0,
        .last = block + blocks == job->panel_blocks,
        .bias = job->bias + panel * SX_BLOCK,
        .store = job->store,
    };
    if (panel + panels < job->panels) tile.store.tail = SX_BLOCK;
    int64_t first_block = sx_conv_first_block(s, panel, job->panel_blocks);
    tile.input = job->x + (first_block + block) * tile.block_stride;
    tile.weights = job->weights + panel * tile.weights_panel_stride + block * tile.weights_block_stride;
    return tile;
}

/// Where the weights of the next pass are fetched from, `tile_lines` lines a tile.
typedef struct {
    const sx_conv_tile *pass;
    int64_t panel_lines, tile_lines, line;  ///< the line is counted in its panel
    const float *panel;
} fetch;

static fetch fetch_over(const sx_conv_tile *ahead, int64_t tiles) {
    if (!ahead || ahead->blocks == 0) return (fetch){NULL};
    fetch f = {.pass = ahead, .panel = ahead->weights};
    f.panel_lines = ahead->blocks * ahead->weights_block_stride / SX_BLOCK;
    f.tile_lines = sx_ceil_div(f.panel_lines * ahead->panels, tiles);
    return f;
}

/// Tiles that fetch from the panel at hand.
static int64_t fetch_room(const fetch *f) { return sx_ceil_div(f->panel_lines - f->line, f->tile_lines); }

static void fetch_in_run(fetch *f, sx_conv_tile *run, int64_t taps) {
    run->ahead = f->panel + f->line * SX_BLOCK;
    run->ahead_step = f->tile_lines * SX_BLOCK;
    run->ahead_lines = (int)sx_ceil_div(f->tile_lines, taps);
    for (f->line += run->count * f->tile_lines; f->line >= f->panel_lines; f->line -= f->panel_lines)
        f->panel += f->pass->weights_panel_stride;
}

/// The tiles [begin, end) of one pass; `ahead` is the pass whose weights are wanted next, or NULL.
static void run_pass(
    const sx_direct_job *job, int64_t image, int64_t begin, int64_t end, int64_t panel, const sx_conv_tile *pass,
    const sx_conv_tile *ahead, float *carried) {
    const sx_conv_shape *s = &job->s;
    bool carries = !pass->first || !pass->last;
    fetch next = fetch_over(ahead, end - begin);
    int64_t offsets[SX_DIRECT_MAX_CHUNK_TILES * SX_CONV_MAX_PIXELS];
    for (int64_t index = begin; index < end;) {
        tile_run run = run_at(job, index, end);
        if (next.pass) run.count = sx_min(run.count, fetch_room(&next));
        int64_t iy = run.oy * s->stride_h - s->pad_top, row_begin, row_end;
        valid_range(iy, s->dilation_h, s->h, s->kh, &row_begin, &row_end);
        sx_conv_tile tile = *pass;
        tile.pixels = (int)run.pixels;
        tile.count = run.count;
        tile.rows = row_end - row_begin;
        tile.columns = s->kw;
        tile.weights += row_begin * tile.weights_row_stride;
        tile.input += image * job->image_floats;
        if (job->scatters) {
            set_offsets(s, run.ox, run.count * run.pixels, offsets);
            tile.pixel_offsets = offsets;
            if (job->lanes == 1 && s->kw != SX_BLOCK) tile.tap_offsets = job->tap_offsets;
        } else {
            tile.input += row_begin * tile.row_stride + (iy * s->w + run.ox * s->stride_w - s->pad_left) * job->lanes;
        }
        // Passes may cut the same tiles into other runs.
        tile.partial_tile_stride = carries ? job->tile_pixels * tile.panels * SX_BLOCK : 0;
        tile.partial_panel_stride = run.pixels * SX_BLOCK;
        tile.partial = carried + (index - begin) * tile.partial_tile_stride;
        tile.store = sx_conv_store_at(
            &pass->store, image * job->output_batch_stride + panel * pass->store.panel_stride +
                              (run.oy * s->ow + run.ox) * pass->store.pixel_stride);
        if (next.pass) fetch_in_run(&next, &tile, pass->blocks * s->kh * s->kw);
        if (run.inside)
            call_kernel(job, &tile);
        else
            run_border(job, &tile, run.ox * s->stride_w - s->pad_left);
        index += run.count;
    }
}

static void run_chunk(void *context, int64_t chunk, int worker) {
    const sx_direct_job *job = context;
    float *carried = job->scratch + worker * SX_DIRECT_SCRATCH_FLOATS;
    int64_t panel_begin = chunk % job->panel_chunks * job->chunk_panels;
    int64_t panel_end = sx_min(panel_begin + job->chunk_panels, job->panels);
    int64_t image = chunk / job->panel_chunks / job->tile_chunks;
    int64_t tile_begin = chunk / job->panel_chunks % job->tile_chunks * job->chunk_tiles;
    int64_t tile_end = sx_min(tile_begin + job->chunk_tiles, job->tiles);
    int64_t panel = panel_begin, block = 0;
    int panels = (int)sx_min(job->panels_at_once, panel_end - panel);
    sx_conv_tile pass = pass_tile(job, panel, panels, 0, sx_min(job->blocks_at_once, job->panel_blocks));
    while (panel < panel_end) {
        int64_t next_panel = panel, next_block = block + pass.blocks;
        if (next_block == job->panel_blocks) {
            next_block = 0;
            next_panel += panels;
        }
        bool more = next_panel < panel_end;
        sx_conv_tile next = pass;
        int next_panels = (int)sx_min(job->panels_at_once, panel_end - next_panel);
        if (more)
            next = pass_tile(
                job, next_panel, next_panels, next_block, sx_min(job->blocks_at_once, job->panel_blocks - next_block));
        run_pass(job, image, tile_begin, tile_end, panel, &pass, more ? &next : NULL, carried);
        pass = next;
        panel = next_panel;
        panels = next_panels;
        block = next_block;
    }
}

static void run(
    const sx_conv_shape *shape, const float *x, const float *packed, const sx_conv_epilogue *epilogue, float *y,
    void *scratch, int threads) {
    sx_direct_job job;
    sx_conv_shape padded;
    if (sx_direct_pads(shape, kernels())) {
        float *copy = (float *)scratch + threads * (int64_t)SX_DIRECT_SCRATCH_FLOATS;
        sx_direct_pad(shape, x, copy, threads);
        padded = sx_direct_padded(shape);
        shape = &padded;
        x = copy;
    }
    sx_direct_plan(&job, shape, epilogue, y, kernels());
    job.x = x;
    job.scratch = scratch;
    job.bias = packed;
    job.weights = packed + job.panels * SX_BLOCK;
    sx_parallel_for(threads, job.s.n * job.tile_chunks * job.panel_chunks, run_chunk, &job);
}

static bool suits(const sx_conv_shape *shape) {
    (void)shape;
    return true;
}

static int64_t scratch_bytes(const sx_conv_shape *shape, int threads) {
    int64_t padded = sx_direct_pads(shape, kernels()) ? sx_direct_padded_floats(shape) : 0;
    return (threads * (int64_t)SX_DIRECT_SCRATCH_FLOATS + padded) * (int64_t)sizeof(float);
}

const sx_conv_method sx_conv_direct = {
    .name = "direct",
    .suits = suits,
    .packed_floats = sx_conv_direct_packed_floats,
    .pack = sx_conv_direct_pack,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
