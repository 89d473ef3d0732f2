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

/// `panels` and `pixels` are constants of the caller: the sums stay in registers.
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

#define SX_DENSE(panels, pixels) \
    case (panels) * 32 + (pixels): dense_tile(t, panels, pixels); return;
