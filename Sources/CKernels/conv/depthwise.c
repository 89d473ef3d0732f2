#include <string.h>

#include "algorithms.h"
#include "store.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_conv_kernels
#define SX_TABLE "../conv/kernels.inc"
#include "../base/dispatch.h"
#include "../base/sizes.h"

// Depthwise convolution: the kernel makes one row of output pixels of one block of 16 channels. A chunk is a run of
// rows, through several blocks where these are small.

/// Sums of 16 lanes times taps: a chunk of about this many takes 10 microseconds; less is not worth a second thread.
enum { CHUNK_PRODUCTS = 24576 };

typedef struct {
    const sx_conv_kernels *kernels;
    const sx_conv_shape *s;
    const float *x, *weights, *bias;
    sx_conv_store store;
    int64_t batch_stride, panels, rows, rows_per_chunk;
} job;

static void run_row(const job *j, int64_t index) {
    const sx_conv_shape *s = j->s;
    int64_t oy = index % s->oh, panel = index / s->oh % j->panels, image = index / s->oh / j->panels;
    // The taps whose rows are inside the input.
    int64_t top = oy * s->stride_h - s->pad_top, begin = 0, end = s->kh;
    while (begin < end && top + begin * s->dilation_h < 0) begin++;
    while (end > begin && top + (end - 1) * s->dilation_h >= s->h) end--;
    sx_conv_depthwise_row row = {
        .input = j->x + (((image * j->panels + panel) * s->h + top + begin * s->dilation_h) * s->w) * SX_BLOCK,
        .weights = j->weights + (panel * s->kh + begin) * s->kw * SX_BLOCK,
        .bias = j->bias + panel * SX_BLOCK,
        .row_stride = s->dilation_h * s->w * SX_BLOCK,
        .first_column = -s->pad_left,
        .input_columns = s->w,
        .stride = s->stride_w,
        .dilation = s->dilation_w,
        .rows = end - begin,
        .columns = s->kw,
        .pixels = s->ow,
        .store = sx_conv_store_at(
            &j->store, image * j->batch_stride + panel * j->store.panel_stride + oy * s->ow * j->store.pixel_stride),
    };
    if (panel + 1 < j->panels) row.store.tail = SX_BLOCK;
    j->kernels->depthwise(&row);
}

static void run_chunk(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t index = chunk * j->rows_per_chunk; index < end; index++) run_row(j, index);
}

static void run(
    const sx_conv_shape *s, const float *x, const float *packed, const sx_conv_epilogue *epilogue, float *y,
    void *scratch, int threads) {
    (void)scratch;
    job j = {.kernels = kernels(), .s = s, .x = x, .bias = packed, .panels = sx_blocks(s->k)};
    j.store = sx_conv_store_of(s, epilogue, y, &j.batch_stride);
    j.weights = packed + j.panels * SX_BLOCK;
    j.rows = s->n * j.panels * s->oh;
    j.rows_per_chunk = sx_max(1, CHUNK_PRODUCTS / (s->ow * s->kh * s->kw));
    sx_parallel_for(threads, sx_ceil_div(j.rows, j.rows_per_chunk), run_chunk, &j);
}

static bool suits(const sx_conv_shape *s) {
    return s->groups == s->c && s->c == s->k && s->groups > 1 && s->input_layout == SX_LAYOUT_BLOCKED16;
}

// Packed weights: bias [panels 16], then [panel][row][column][16 channels].

static int64_t packed_floats(const sx_conv_shape *s) {
    int64_t floats = sx_blocks(s->k) * SX_BLOCK, taps;
    if (__builtin_mul_overflow(s->kh, s->kw, &taps) || __builtin_add_overflow(taps, 1, &taps)) return -1;
    return __builtin_mul_overflow(floats, taps, &floats) ? -1 : floats;
}

static void pack(const sx_conv_shape *s, const float *weights, const float *bias, float *packed, int threads) {
    (void)threads;
    int64_t taps = s->kh * s->kw;
    float *out = sx_conv_pack_bias(s, bias, packed);
    memset(out, 0, (size_t)(sx_blocks(s->k) * SX_BLOCK * taps) * sizeof(float));
    for (int64_t k = 0; k < s->k; k++)
        for (int64_t tap = 0; tap < taps; tap++)
            out[(k / SX_BLOCK * taps + tap) * SX_BLOCK + k % SX_BLOCK] = weights[k * taps + tap];
}

static int64_t scratch_bytes(const sx_conv_shape *shape, int threads) {
    (void)shape;
    (void)threads;
    return 0;
}

const sx_conv_method sx_conv_depthwise = {
    .name = "depthwise",
    .suits = suits,
    .packed_floats = packed_floats,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
