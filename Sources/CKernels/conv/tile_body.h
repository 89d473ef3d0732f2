// The tile kernels, written once for every vector ISA; included between row_avx*.h and row_end.h.

#include "finish_body.h"

/// Ends a call: carries the sums on, or applies the epilogue and stores them.
/// `partial` and `offset` (of the output, in floats) are those of one tile of a run.
SX_INLINE void end_tile(
    const sx_conv_tile *t, float *partial, int64_t offset, sx_vec sum[][SX_CONV_MAX_PIXELS], const int panels,
    const int pixels) {
    if (!t->last) {
#pragma unroll
        for (int p = 0; p < panels; p++)
#pragma unroll
            for (int i = 0; i < pixels; i++) sx_vec_store(partial + p * t->partial_panel_stride + i * 16, sum[p][i]);
        return;
    }
    store_tile(&t->store, offset, sum, panels, pixels);
}

SX_INLINE void begin_tile(
    const sx_conv_tile *t, const float *partial, sx_vec sum[][SX_CONV_MAX_PIXELS], const int panels, const int pixels) {
#pragma unroll
    for (int p = 0; p < panels; p++)
#pragma unroll
        for (int i = 0; i < pixels; i++)
            sum[p][i] = sx_vec_load(t->first ? t->bias + p * 16 : partial + p * t->partial_panel_stride + i * 16);
}

/// Fetches the lines that the tile's end will read or write while the sums are made.
SX_INLINE void fetch_output(const sx_conv_store *store, int64_t start, const int panels, const int pixels) {
#pragma unroll
    for (int p = 0; p < panels; p++)
#pragma unroll
        for (int i = 0; i < pixels; i++) {
            int64_t offset = start + p * store->panel_stride + i * store->pixel_stride;
            __builtin_prefetch(store->output + offset, 1);
            if (store->residual && store->residual != store->output) __builtin_prefetch(store->residual + offset);
        }
}

/// sum[p][i] += in[i][at] w[p].
SX_INLINE void add_lane(
    sx_vec sum[][SX_CONV_MAX_PIXELS], const float *const in[], const int64_t at, const float *w,
    const int64_t panel_stride, const int panels, const int pixels) {
    sx_vec weight[SX_CONV_MAX_PANELS];
#pragma unroll
    for (int p = 0; p < panels; p++) weight[p] = sx_vec_load(w + p * panel_stride);
#pragma unroll
    for (int i = 0; i < pixels; i++) {
        const sx_vec x = sx_vec_set(in[i][at]);
#pragma unroll
        for (int p = 0; p < panels; p++) sum[p][i] = sx_vec_fma(x, weight[p], sum[p][i]);
    }
}

/// One tap; unrolled where the caller knows the number of lanes.
SX_INLINE void add_tap(
    sx_vec sum[][SX_CONV_MAX_PIXELS], const float *const in[], const int64_t at, const float *w,
    const int64_t panel_stride, const int64_t lanes, const int panels, const int pixels) {
    if (__builtin_constant_p(lanes)) {
#pragma unroll TILE_UNROLL
        for (int64_t lane = 0; lane < lanes; lane++)
            add_lane(sum, in, at + lane, w + lane * 16, panel_stride, panels, pixels);
    } else {
#pragma nounroll
        for (int64_t lane = 0; lane < lanes; lane++)
            add_lane(sum, in, at + lane, w + lane * 16, panel_stride, panels, pixels);
    }
}

/// Fetches the weights wanted soon.
SX_INLINE const float *fetch_ahead(const float *ahead, const int lines) {
    for (int line = 0; line < lines; line++, ahead += 16) __builtin_prefetch(ahead, 0, 2);
    return ahead;
}

/// The taps of a tile that sees one pixel of each block.
SX_INLINE void add_pixel(
    const sx_conv_tile *t, sx_vec sum[][SX_CONV_MAX_PIXELS], const float *const in[], const float *ahead,
    const int panels, const int pixels) {
    const float *w = t->weights;
    const int64_t block_stride = t->block_stride;
    int64_t at = 0;
    for (int64_t block = t->blocks; block > 0; block--, at += block_stride, w += t->weights_block_stride) {
#pragma unroll
        for (int i = 0; i < pixels; i++) __builtin_prefetch(in[i] + at + block_stride);
        ahead = fetch_ahead(ahead, t->ahead_lines);
        add_tap(sum, in, at, w, t->weights_panel_stride, 16, panels, pixels);
    }
}

/// All taps of a tile; those of blocked input fetch the pixels of the next block.
SX_INLINE void add_window(
    const sx_conv_tile *t, sx_vec sum[][SX_CONV_MAX_PIXELS], const float *const in[], const float *ahead,
    const int64_t lanes, const int panels, const int pixels) {
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
                add_tap(sum, in, at, w, t->weights_panel_stride, lanes, panels, pixels);
            }
        }
    }
}

/// All taps of a tile of plain input.
SX_INLINE void add_scattered_taps(
    const sx_conv_tile *t, sx_vec sum[][SX_CONV_MAX_PIXELS], const float *const in[], const float *ahead,
    const int panels, const int pixels) {
    const float *w = t->weights;
    const int64_t taps = t->blocks * t->rows * t->columns;
    fetch_ahead(ahead, t->ahead_lines * (int)taps);
#pragma unroll 4
    for (int64_t tap = 0; tap < taps; tap++, w += 16)
        add_lane(sum, in, t->tap_offsets[tap], w, t->weights_panel_stride, panels, pixels);
}

/// A run of tiles. `step`, `lanes`, `panels` and `pixels` are constants of the caller where that pays; step 0: each
/// pixel has its offset.
SX_INLINE void dense_tiles(
    const sx_conv_tile *t, const int64_t step, const int64_t lanes, const int panels, const int pixels) {
    const float *input = t->input, *ahead = t->ahead;
    const int64_t *pixel_offset = t->pixel_offsets;
    float *partial = t->partial;
    int64_t offset = 0;
    for (int64_t left = t->count; left > 0; left--) {
        sx_vec sum[SX_CONV_MAX_PANELS][SX_CONV_MAX_PIXELS];
        const float *in[SX_CONV_MAX_PIXELS];
#pragma unroll
        for (int i = 0; i < pixels; i++) in[i] = input + (step ? i * step : pixel_offset[i]);
        begin_tile(t, partial, sum, panels, pixels);
        if (t->last) fetch_output(&t->store, offset, panels, pixels);
        if (step == 0 && lanes == 1)
            add_scattered_taps(t, sum, in, ahead, panels, pixels);
        else if (lanes == 16 && t->rows == 1 && t->columns == 1)
            add_pixel(t, sum, in, ahead, panels, pixels);
        else
            add_window(t, sum, in, ahead, lanes, panels, pixels);
        end_tile(t, partial, offset, sum, panels, pixels);
        input += pixels * step;
        if (!step) pixel_offset += pixels;
        ahead += t->ahead_step;
        partial += t->partial_tile_stride;
        offset += pixels * t->store.pixel_stride;
    }
}

/// One tile of any strides, with a fetch at every step. `panels` and `pixels` are constants of the caller.
SX_INLINE void dense_tile(const sx_conv_tile *t, const int panels, const int pixels) {
    sx_vec sum[SX_CONV_MAX_PANELS][SX_CONV_MAX_PIXELS];
    begin_tile(t, t->partial, sum, panels, pixels);
    const int64_t pixel_stride = t->pixel_stride, panel_stride = t->weights_panel_stride;
    const float *ahead = t->ahead;
    if (t->last) fetch_output(&t->store, 0, panels, pixels);
    for (int64_t block = 0; block < t->blocks; block++) {
        const float *block_input = t->input + block * t->block_stride;
        const float *block_weights = t->weights + block * t->weights_block_stride;
        // The lines wanted after this block: one is fetched per lane step.
        int64_t next_block = block + 1 < t->blocks ? t->block_stride : t->input - block_input + pixels * pixel_stride;
        for (int64_t row = 0; row < t->rows; row++) {
            const float *w = block_weights + row * t->weights_row_stride;
            for (int64_t column = 0; column < t->columns; column++) {
                const float *in = block_input + row * t->row_stride + column * t->column_stride;
                const float *next = in + next_block;
                for (int64_t lane = 0; lane < t->lanes; lane++, in++, w += 16, next += pixel_stride) {
                    __builtin_prefetch(next);
                    sx_vec weight[SX_CONV_MAX_PANELS];
#pragma unroll
                    for (int p = 0; p < panels; p++) weight[p] = sx_vec_load(w + p * panel_stride);
#pragma unroll
                    for (int i = 0; i < pixels; i++) {
                        sx_vec x = sx_vec_set(in[i * pixel_stride]);
#pragma unroll
                        for (int p = 0; p < panels; p++) sum[p][i] = sx_vec_fma(x, weight[p], sum[p][i]);
                    }
                }
                for (int line = 0; line < t->ahead_lines; line++, ahead += 16) __builtin_prefetch(ahead, 0, 2);
            }
        }
    }
    end_tile(t, t->partial, 0, sum, panels, pixels);
}

/// A case of a switch over panels and pixels.
#define SX_DENSE(panels, pixels) \
    case (panels) * 32 + (pixels): dense_panels(t, panels, pixels); return;
