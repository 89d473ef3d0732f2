// The tile kernels, written once for every vector ISA; included between row_avx*.h and row_end.h.

#include "conv_kernels.h"

/// Ends a call: carries the sums on, or applies the epilogue and stores them.
SX_INLINE void end_tile(const sx_conv_tile *t, sx_vec sum[][SX_CONV_MAX_PIXELS], const int panels, const int pixels) {
    if (!t->last) {
#pragma unroll
        for (int p = 0; p < panels; p++)
#pragma unroll
            for (int i = 0; i < pixels; i++) sx_vec_store(t->partial + p * t->partial_panel_stride + i * 16, sum[p][i]);
        return;
    }
    const sx_conv_store *store = &t->store;
    if (!sx_conv_stores_vectors(store)) {
        float sums[panels * pixels * 16] __attribute__((aligned(64)));
#pragma unroll
        for (int p = 0; p < panels; p++)
#pragma unroll
            for (int i = 0; i < pixels; i++) sx_vec_store(sums + (p * pixels + i) * 16, sum[p][i]);
        sx_conv_finish(store, panels, pixels, sums);
        return;
    }
    const sx_vec low = sx_vec_set(store->low), high = sx_vec_set(store->high);
#pragma unroll
    for (int p = 0; p < panels; p++) {
        float *output = store->output + p * store->panel_stride;
        const float *residual = store->residual ? store->residual + p * store->panel_stride : NULL;
#pragma unroll
        for (int i = 0; i < pixels; i++) {
            sx_vec v = sum[p][i];
            if (residual) v += sx_vec_load(residual + i * store->pixel_stride);
            sx_vec_store(output + i * store->pixel_stride, sx_vec_at_most(sx_vec_at_least(v, low), high));
        }
    }
}

SX_INLINE void begin_tile(const sx_conv_tile *t, sx_vec sum[][SX_CONV_MAX_PIXELS], const int panels, const int pixels) {
#pragma unroll
    for (int p = 0; p < panels; p++)
#pragma unroll
        for (int i = 0; i < pixels; i++)
            sum[p][i] = sx_vec_load(t->first ? t->bias + p * 16 : t->partial + p * t->partial_panel_stride + i * 16);
}

/// Fetches the lines that the tile's end will read or write while the sums are made.
SX_INLINE void fetch_output(const sx_conv_store *store, const int panels, const int pixels) {
#pragma unroll
    for (int p = 0; p < panels; p++)
#pragma unroll
        for (int i = 0; i < pixels; i++) {
            int64_t offset = p * store->panel_stride + i * store->pixel_stride;
            __builtin_prefetch(store->output + offset, 1);
            if (store->residual && store->residual != store->output) __builtin_prefetch(store->residual + offset);
        }
}

/// `panels` and `pixels` are constants of the caller: the sums stay in registers.
SX_INLINE void dense_tile(const sx_conv_tile *t, const int panels, const int pixels) {
    sx_vec sum[SX_CONV_MAX_PANELS][SX_CONV_MAX_PIXELS];
    begin_tile(t, sum, panels, pixels);
    const int64_t pixel_stride = t->pixel_stride, panel_stride = t->weights_panel_stride;
    const float *ahead = t->ahead;
    if (t->last) fetch_output(&t->store, panels, pixels);
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
    end_tile(t, sum, panels, pixels);
}

SX_INLINE void depthwise_tile(const sx_conv_tile *t, const int pixels) {
    sx_vec sum[1][SX_CONV_MAX_PIXELS];
    begin_tile(t, sum, 1, pixels);
    const int64_t pixel_stride = t->pixel_stride;
    for (int64_t row = 0; row < t->rows; row++) {
        const float *w = t->weights + row * t->weights_row_stride;
        for (int64_t column = 0; column < t->columns; column++, w += 16) {
            const float *in = t->input + row * t->row_stride + column * t->column_stride;
            const sx_vec weight = sx_vec_load(w);
#pragma unroll
            for (int i = 0; i < pixels; i++)
                sum[0][i] = sx_vec_fma(sx_vec_load(in + i * pixel_stride), weight, sum[0][i]);
        }
    }
    end_tile(t, sum, 1, pixels);
}

#define SX_DENSE(panels, pixels) \
    case (panels) * 32 + (pixels): dense_tile(t, panels, pixels); return;
#define SX_DEPTHWISE(pixels) \
    case pixels: depthwise_tile(t, pixels); return;
