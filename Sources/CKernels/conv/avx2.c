#if defined(__x86_64__)
#include "../base/row_avx2.h"
#include "tile_body.h"

enum { WINOGRAD_TILES = 6, WINOGRAD_PANELS = 1, WINOGRAD_UNROLL = 8, WINOGRAD_FETCHES_LANES = false };
#include "winograd_body.h"

/// One tap of a panel: sum[i] += in[i][at + lane] w[lane]; unrolled where the caller knows the number of lanes.
SX_INLINE void add_tap(
    sx_vec sum[], const float *const in[], const int64_t at, const float *w, const int64_t lanes, const int pixels) {
    if (__builtin_constant_p(lanes)) {
#pragma unroll
        for (int64_t lane = 0; lane < lanes; lane++) {
            const sx_vec weight = sx_vec_load(w + lane * 16);
#pragma unroll
            for (int i = 0; i < pixels; i++) sum[i] = sx_vec_fma(sx_vec_set(in[i][at + lane]), weight, sum[i]);
        }
    } else {
#pragma nounroll
        for (int64_t lane = 0; lane < lanes; lane++) {
            const sx_vec weight = sx_vec_load(w + lane * 16);
#pragma unroll
            for (int i = 0; i < pixels; i++) sum[i] = sx_vec_fma(sx_vec_set(in[i][at + lane]), weight, sum[i]);
        }
    }
}

/// Fetches the weights wanted soon.
SX_INLINE const float *fetch_ahead(const float *ahead, const int lines) {
    for (int line = 0; line < lines; line++, ahead += 16) __builtin_prefetch(ahead, 0, 2);
    return ahead;
}

/// The taps of a tile that sees one pixel of each block.
SX_INLINE void add_pixel(
    const sx_conv_tile *t, sx_vec sum[], const float *const in[], const float *ahead, const int pixels) {
    const float *w = t->weights;
    const int64_t block_stride = t->block_stride;
    int64_t at = 0;
    for (int64_t block = t->blocks; block > 0; block--, at += block_stride, w += t->weights_block_stride) {
#pragma unroll
        for (int i = 0; i < pixels; i++) __builtin_prefetch(in[i] + at + block_stride);
        ahead = fetch_ahead(ahead, t->ahead_lines);
        add_tap(sum, in, at, w, 16, pixels);
    }
}

/// All taps of a tile.
SX_INLINE void add_window(
    const sx_conv_tile *t, sx_vec sum[], const float *const in[], const float *ahead, const int64_t lanes,
    const int pixels) {
    for (int64_t block = 0; block < t->blocks; block++) {
        const float *block_weights = t->weights + block * t->weights_block_stride;
        for (int64_t row = 0; row < t->rows; row++) {
            const float *w = block_weights + row * t->weights_row_stride;
            int64_t at = block * t->block_stride + row * t->row_stride;
            for (int64_t column = 0; column < t->columns; column++, at += t->column_stride, w += lanes * 16) {
                if (lanes == 16) {
#pragma unroll
                    for (int i = 0; i < pixels; i++) __builtin_prefetch(in[i] + at + t->block_stride);
                }
                ahead = fetch_ahead(ahead, t->ahead_lines);
                add_tap(sum, in, at, w, lanes, pixels);
            }
        }
    }
}

/// All taps of a tile of plain input.
SX_INLINE void add_scattered_taps(
    const sx_conv_tile *t, sx_vec sum[], const float *const in[], const float *ahead, const int pixels) {
    const float *w = t->weights;
    const int64_t taps = t->blocks * t->rows * t->columns;
    fetch_ahead(ahead, t->ahead_lines * (int)taps);
#pragma unroll 4
    for (int64_t tap = 0; tap < taps; tap++, w += 16) add_tap(sum, in, t->tap_offsets[tap], w, 1, pixels);
}

/// `step`, `lanes` and `pixels` are constants of the caller where that pays; step 0: each pixel has its offset.
SX_INLINE void panel_tiles(const sx_conv_tile *t, const int64_t step, const int64_t lanes, const int pixels) {
    const float *input = t->input, *ahead = t->ahead;
    const int64_t *pixel_offset = t->pixel_offsets;
    float *partial = t->partial;
    int64_t offset = 0;
    for (int64_t left = t->count; left > 0; left--) {
        sx_vec sum[1][SX_CONV_MAX_PIXELS];
        const float *in[SX_CONV_MAX_PIXELS];
#pragma unroll
        for (int i = 0; i < pixels; i++) in[i] = input + (step ? i * step : pixel_offset[i]);
        begin_tile(t, partial, sum, 1, pixels);
        if (t->last) fetch_output(&t->store, offset, 1, pixels);
        if (step == 0 && lanes == 1)
            add_scattered_taps(t, sum[0], in, ahead, pixels);
        else if (lanes == 16 && t->rows == 1 && t->columns == 1)
            add_pixel(t, sum[0], in, ahead, pixels);
        else
            add_window(t, sum[0], in, ahead, lanes, pixels);
        end_tile(t, partial, offset, sum, 1, pixels);
        input += pixels * step;
        if (!step) pixel_offset += pixels;
        ahead += t->ahead_step;
        partial += t->partial_tile_stride;
        offset += pixels * t->store.pixel_stride;
    }
}

/// Blocked pixels side by side are the common case; then all strides are constants.
SX_INLINE void panel_pixels(const sx_conv_tile *t, const int pixels) {
    if (t->tap_offsets)
        panel_tiles(t, 0, 1, pixels);
    else if (t->pixel_offsets)
        panel_tiles(t, 0, 16, pixels);
    else if (t->lanes == 16 && t->pixel_stride == 16)
        panel_tiles(t, 16, 16, pixels);
    else if (t->lanes == 16)
        panel_tiles(t, t->pixel_stride, 16, pixels);
    else
        panel_tiles(t, t->pixel_stride, t->lanes, pixels);
}

// A panel is two registers: 12 sums, two weights and a broadcast of the 16.
static void dense(const sx_conv_tile *t) {
    switch (t->pixels) {
        case 1: panel_pixels(t, 1); return;
        case 2: panel_pixels(t, 2); return;
        case 3: panel_pixels(t, 3); return;
        case 4: panel_pixels(t, 4); return;
        case 5: panel_pixels(t, 5); return;
        case 6: panel_pixels(t, 6); return;
    }
}

enum { DEPTHWISE_PIXELS = 4 };
#include "depthwise_body.h"

SX_INLINE void depthwise_tiles(
    const sx_conv_depthwise_row *t, int64_t pixel, const int width, const int stride, int64_t pixels) {
    switch (pixels) {
        SX_DEPTHWISE(1) SX_DEPTHWISE(2) SX_DEPTHWISE(3) SX_DEPTHWISE(4)
    }
}

static void winograd_group(
    const sx_winograd_product *p, const float *v, const float *u, float *m, const float *ahead, int64_t step, int tiles) {
    switch (p->panels * 32 + tiles) {
        SX_WINOGRAD_GROUP(1, 1) SX_WINOGRAD_GROUP(1, 2) SX_WINOGRAD_GROUP(1, 3)
        SX_WINOGRAD_GROUP(1, 4) SX_WINOGRAD_GROUP(1, 5) SX_WINOGRAD_GROUP(1, 6)
        SX_WINOGRAD_GROUP(2, 1) SX_WINOGRAD_GROUP(2, 2) SX_WINOGRAD_GROUP(2, 3)
        SX_WINOGRAD_GROUP(2, 4) SX_WINOGRAD_GROUP(2, 5) SX_WINOGRAD_GROUP(2, 6)
    }
}

const sx_conv_kernels SX_ROW(sx_conv_kernels) = {
    .dense = dense,
    .depthwise = depthwise,
    .dense_pixels = {6, 0, 0, 0},
    .scatters = true,
    .winograd_input = winograd_input,
    .winograd_product = winograd_product,
    .winograd_output = winograd_output,
};
#include "../base/row_end.h"
#endif
