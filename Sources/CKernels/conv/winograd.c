#include "winograd.h"

#include "../base/sizes.h"
#include "algorithms.h"
#include "patch.h"
#include "store.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_conv_kernels
#define SX_TABLE "../conv/kernels.inc"
#include "../base/dispatch.h"

// Fused Winograd (after Gelashvili, Shavit and Zlateski, L3 Fusion, 2020). The tiles of all images form one list, cut
// into blocks whose transformed input stays in a core's L2 while the transformed weights stream past, one slice of 32
// output channels at a time: products at all 36 positions, then the output transform with the epilogue.
// A map too small to give every thread blocks of its own is transformed once for all; chunks of work are then a
// block times a range of slices. How the work is cut depends on the shape only.

enum {
    BLOCK_BYTES = 896 << 10,   // transformed input and one slice's products of a block, in L2 beside the weights
    MIN_BLOCK = 28,            // tiles enough to hide the stream of weights
    CHUNKS_WANTED = 8,
    WIDE_SLICES = 4,  // slices at once where a block exceeds L2 because of MIN_BLOCK
    PATCH_FLOATS = SX_WINOGRAD_IN * SX_WINOGRAD_IN * SX_BLOCK,
};

/// One of the convolutions that share the transformed input.
typedef struct {
    const float *bias, *u;
    sx_conv_store store;
    int64_t batch_stride, row_stride;  // of the output
    int64_t panels, first_slice;
} winograd_part;

typedef struct {
    sx_conv_shape s;  ///< of the first part; the others differ in k and in the output only
    const sx_conv_kernels *kernels;
    const float *x;
    const winograd_part *parts;
    int part_count;
    int64_t input_blocks, slices;  // slices of all parts
    int64_t tiles_x, image_tiles, tiles;
    int64_t block_tiles, blocks;  // tiles of one block; blocks of tiles
    int64_t slices_at_once, chunk_slices, slice_chunks;
    int64_t v_channels, v_position, v_floats;  // strides between blocks of channels and positions; floats of a block
    int64_t m_position, m_slice;               // strides between positions and slices
    int64_t worker_floats;
    float *shared_v, *scratch;
} winograd_job;

/// Tiles of one row of tiles: `count` from column `x` of row `y` of an image.
typedef struct {
    int64_t image, y, x, count;
} tile_run;

/// The run that begins at tile `index` of the list and ends at the row's end or before tile `end`.
static tile_run run_at(const winograd_job *job, int64_t index, int64_t end) {
    int64_t within = index % job->image_tiles;
    tile_run run = {.image = index / job->image_tiles, .y = within / job->tiles_x, .x = within % job->tiles_x};
    run.count = sx_min(job->tiles_x - run.x, end - index);
    return run;
}

/// Floats between positions: an odd number of cache lines, so that the positions of a tile meet different sets.
static int64_t odd_lines(int64_t floats) { return (floats / SX_BLOCK | 1) * SX_BLOCK; }

static int64_t slices_of(const sx_conv_shape *s) { return sx_ceil_div(sx_blocks(s->k), SX_WINOGRAD_PANELS); }

static void plan(winograd_job *job, const sx_conv_part *parts, int count) {
    const sx_conv_shape *s = &parts->shape;
    *job = (winograd_job){.s = *s, .input_blocks = sx_blocks(s->c), .part_count = count};
    for (int part = 0; part < count; part++) job->slices += slices_of(&parts[part].shape);
    job->tiles_x = sx_ceil_div(s->ow, SX_WINOGRAD_OUT);
    job->image_tiles = job->tiles_x * sx_ceil_div(s->oh, SX_WINOGRAD_OUT);
    job->tiles = s->n * job->image_tiles;

    int64_t tile_floats = SX_WINOGRAD_POSITIONS * (job->input_blocks * SX_BLOCK + SX_WINOGRAD_SLICE);
    int64_t fitting = BLOCK_BYTES / (tile_floats * (int64_t)sizeof(float)), most = sx_max(fitting, MIN_BLOCK);
    job->blocks = sx_ceil_div(job->tiles, most);
    job->block_tiles = sx_ceil_div(job->tiles, job->blocks);
    job->blocks = sx_ceil_div(job->tiles, job->block_tiles);
    int64_t splits = sx_min(sx_ceil_div(CHUNKS_WANTED, job->blocks), job->slices);
    job->chunk_slices = sx_ceil_div(job->slices, splits);
    job->slice_chunks = sx_ceil_div(job->slices, job->chunk_slices);
    job->slices_at_once = 2 * fitting < job->block_tiles ? sx_min(WIDE_SLICES, job->chunk_slices) : 1;

    job->v_channels = job->block_tiles * SX_BLOCK;
    job->v_position = odd_lines(job->input_blocks * job->v_channels);
    job->v_floats = SX_WINOGRAD_POSITIONS * job->v_position;
    job->m_position = odd_lines(job->block_tiles * SX_WINOGRAD_SLICE);
    job->m_slice = SX_WINOGRAD_POSITIONS * job->m_position;
    job->worker_floats = (job->slice_chunks == 1 ? job->v_floats : 0) + job->slices_at_once * job->m_slice;
}

/// Transforms the run's windows of one block of channels: those inside the image where they are, others in a patch.
static void transform_run(const winograd_job *job, tile_run run, int64_t block, float *v) {
    const sx_conv_shape *s = &job->s;
    const float *input = job->x + (run.image * job->input_blocks + block) * s->h * s->w * SX_BLOCK;
    int64_t iy = run.y * SX_WINOGRAD_OUT - s->pad_top;
    bool rows_inside = iy >= 0 && iy + SX_WINOGRAD_IN <= s->h;
    float patch[PATCH_FLOATS] __attribute__((aligned(64)));
    for (int64_t tile = 0, count; tile < run.count; tile += count) {
        int64_t ix = (run.x + tile) * SX_WINOGRAD_OUT - s->pad_left;
        int64_t inside = s->w - SX_WINOGRAD_IN - ix;  // pixels that the window could move on
        count = rows_inside && ix >= 0 && inside >= 0 ? sx_min(inside / SX_WINOGRAD_OUT + 1, run.count - tile) : 0;
        if (count > 0) {
            job->kernels->winograd_input(
                input + (iy * s->w + ix) * SX_BLOCK, s->w * SX_BLOCK, count, v + tile * SX_BLOCK, job->v_position);
        } else {
            count = 1;
            sx_conv_copy_patch(s, input, iy, ix, SX_WINOGRAD_IN, SX_WINOGRAD_IN, patch);
            job->kernels->winograd_input(
                patch, SX_WINOGRAD_IN * SX_BLOCK, 1, v + tile * SX_BLOCK, job->v_position);
        }
    }
}

/// The transformed input of a block of tiles, blocks [begin, end) of channels.
static void transform_block(const winograd_job *job, int64_t block, int64_t begin, int64_t end, float *v) {
    int64_t first = block * job->block_tiles, last = sx_min(first + job->block_tiles, job->tiles);
    for (int64_t channels = begin; channels < end; channels++)
        for (int64_t index = first; index < last;) {
            tile_run run = run_at(job, index, last);
            transform_run(job, run, channels, v + channels * job->v_channels + (index - first) * SX_BLOCK);
            index += run.count;
        }
}

/// The part that a slice belongs to; `slice` becomes its index there.
static const winograd_part *part_of(const winograd_job *job, int64_t *slice) {
    const winograd_part *part = job->parts + job->part_count - 1;
    while (part->first_slice > *slice) part--;
    *slice -= part->first_slice;
    return part;
}

static int slice_panels(const winograd_part *part, int64_t slice) {
    return (int)sx_min(SX_WINOGRAD_PANELS, part->panels - slice * SX_WINOGRAD_PANELS);
}

/// The products of a block of tiles with the slices [begin, end).
static void multiply(const winograd_job *job, int64_t tiles, int64_t begin, int64_t end, const float *v, float *m) {
    // One slice goes through all positions in one call; several share a position's input before the next.
    int64_t positions = end - begin == 1 ? SX_WINOGRAD_POSITIONS : 1;
    for (int64_t position = 0; position < SX_WINOGRAD_POSITIONS; position += positions)
        for (int64_t index = begin; index < end; index++) {
            int64_t slice = index;
            const winograd_part *part = part_of(job, &slice);
            int panels = slice_panels(part, slice);
            int64_t u_position = job->s.c * panels * SX_BLOCK;
            sx_winograd_product product = {
                .v = v + position * job->v_position,
                .u = part->u + slice * SX_WINOGRAD_POSITIONS * job->s.c * SX_WINOGRAD_SLICE + position * u_position,
                .m = m + (index - begin) * job->m_slice + position * job->m_position,
                .v_position = job->v_position,
                .u_position = u_position,
                .m_position = job->m_position,
                .block_stride = job->v_channels,
                .channels = job->s.c,
                .positions = positions,
                .tiles = tiles,
                .panels = panels,
            };
            job->kernels->winograd_product(&product);
        }
}

/// Transforms and stores a run of tiles for one panel; `m` is at the run's first tile.
static void store_run(
    const winograd_job *job, const winograd_part *part, tile_run run, int64_t panel, const float *m, int64_t m_tile) {
    const sx_conv_shape *s = &job->s;
    int64_t oy = run.y * SX_WINOGRAD_OUT, ox = run.x * SX_WINOGRAD_OUT;
    sx_winograd_outputs outputs = {
        .m = m,
        .m_position = job->m_position,
        .m_tile = m_tile,
        .bias = part->bias + panel * SX_BLOCK,
        .store = sx_conv_store_at(
            &part->store, run.image * part->batch_stride + panel * part->store.panel_stride +
                              (oy * s->ow + ox) * part->store.pixel_stride),
        .row_stride = part->row_stride,
        .tiles = sx_min(run.count, (s->ow - ox) / SX_WINOGRAD_OUT),
        .rows = (int)sx_min(SX_WINOGRAD_OUT, s->oh - oy),
        .columns = SX_WINOGRAD_OUT,
    };
    if (panel + 1 < part->panels) outputs.store.tail = SX_BLOCK;
    if (outputs.tiles > 0) job->kernels->winograd_output(&outputs);
    if (outputs.tiles == run.count) return;
    outputs.m += outputs.tiles * m_tile;
    outputs.store = sx_conv_store_at(&outputs.store, outputs.tiles * SX_WINOGRAD_OUT * outputs.store.pixel_stride);
    outputs.tiles = 1;
    outputs.columns = (int)(s->ow % SX_WINOGRAD_OUT);
    job->kernels->winograd_output(&outputs);
}

static void store_slice(const winograd_job *job, int64_t first, int64_t last, int64_t slice, const float *m) {
    const winograd_part *part = part_of(job, &slice);
    int panels = slice_panels(part, slice);
    for (int panel = 0; panel < panels; panel++)
        for (int64_t index = first; index < last;) {
            tile_run run = run_at(job, index, last);
            store_run(
                job, part, run, slice * SX_WINOGRAD_PANELS + panel, m + ((index - first) * panels + panel) * SX_BLOCK,
                panels * SX_BLOCK);
            index += run.count;
        }
}

/// Shares one transformed input: a chunk is one block of channels of one block of tiles.
static void transform_chunk(void *context, int64_t chunk, int worker) {
    (void)worker;
    const winograd_job *job = context;
    int64_t block = chunk / job->input_blocks, channels = chunk % job->input_blocks;
    transform_block(job, block, channels, channels + 1, job->shared_v + block * job->v_floats);
}

static void run_chunk(void *context, int64_t chunk, int worker) {
    const winograd_job *job = context;
    int64_t block = chunk / job->slice_chunks, first = block * job->block_tiles;
    int64_t last = sx_min(first + job->block_tiles, job->tiles);
    int64_t slice = chunk % job->slice_chunks * job->chunk_slices, end = sx_min(slice + job->chunk_slices, job->slices);
    float *m = job->scratch + worker * job->worker_floats, *v = job->shared_v + block * job->v_floats;
    if (job->slice_chunks == 1) {
        v = m + job->slices_at_once * job->m_slice;
        transform_block(job, block, 0, job->input_blocks, v);
    }
    for (int64_t next; slice < end; slice = next) {
        next = sx_min(slice + job->slices_at_once, end);
        multiply(job, last - first, slice, next, v, m);
        for (int64_t done = slice; done < next; done++)
            store_slice(job, first, last, done, m + (done - slice) * job->m_slice);
    }
}

void sx_winograd_run(const sx_conv_part *parts, int count, const float *x, void *scratch, int threads) {
    winograd_job job;
    winograd_part own[SX_CONV_MAX_PARTS];
    plan(&job, parts, count);
    int64_t first_slice = 0;
    for (int i = 0; i < count; i++) {
        const sx_conv_part *part = parts + i;
        own[i] = (winograd_part){
            .bias = part->packed, .panels = sx_blocks(part->shape.k), .first_slice = first_slice};
        own[i].u = own[i].bias + own[i].panels * SX_BLOCK;
        own[i].store = sx_conv_store_of(&part->shape, &part->epilogue, part->y, &own[i].batch_stride);
        own[i].row_stride = part->shape.ow * own[i].store.pixel_stride;
        first_slice += slices_of(&part->shape);
    }
    job.parts = own;
    job.kernels = kernels();
    job.x = x;
    job.scratch = scratch;
    job.shared_v = job.scratch + threads * job.worker_floats;
    if (job.slice_chunks > 1) sx_parallel_for(threads, job.blocks * job.input_blocks, transform_chunk, &job);
    sx_parallel_for(threads, job.blocks * job.slice_chunks, run_chunk, &job);
}

static void run(
    const sx_conv_shape *shape, const float *x, const float *packed, const sx_conv_epilogue *epilogue, float *y,
    void *scratch, int threads) {
    sx_conv_part part = {*shape, SX_CONV_WINOGRAD, packed, *epilogue, y};
    sx_winograd_run(&part, 1, x, scratch, threads);
}

int64_t sx_winograd_scratch_bytes(const sx_conv_part *parts, int count, int threads) {
    winograd_job job;
    plan(&job, parts, count);
    int64_t shared = job.slice_chunks > 1 ? job.blocks * job.v_floats : 0;
    return (threads * job.worker_floats + shared) * (int64_t)sizeof(float);
}

static int64_t scratch_bytes(const sx_conv_shape *shape, int threads) {
    sx_conv_part part = {.shape = *shape};
    return sx_winograd_scratch_bytes(&part, 1, threads);
}

static int64_t executed_macs(const sx_conv_shape *s) {
    int64_t rows = s->n * sx_ceil_div(s->oh, SX_WINOGRAD_OUT), columns = sx_ceil_div(s->ow, SX_WINOGRAD_OUT), macs;
    return __builtin_mul_overflow(rows * columns * SX_WINOGRAD_POSITIONS, s->c * s->k, &macs) ? INT64_MAX : macs;
}

const sx_conv_method sx_conv_winograd = {
    .name = "winograd",
    .suits = sx_winograd_suits,
    .packed_floats = sx_winograd_packed_floats,
    .pack = sx_winograd_pack,
    .scratch_bytes = scratch_bytes,
    .run = run,
    .executed_macs = executed_macs,
};
