// The end of a tile, written once for every vector ISA; included between row_avx*.h and row_end.h.

#include "../base/vector_sum.h"
#include "../unary/unary_kernels.h"
#include "conv_kernels.h"

extern const sx_unary_kernels SX_ROW(sx_unary_kernels);

/// What sx_conv_finish does, sixteen lanes at a time where they lie together.
static void finish_sums(const sx_conv_store *store, int panels, int pixels, float *sums) {
    if (store->lane_stride != 1) {
        sx_conv_finish(store, panels, pixels, sums);
        return;
    }
    if (store->pixel_stride == 16 && store->tail == 16 && !store->residual) {  // as they lie in the output
        for (int panel = 0; panel < panels; panel++)
            SX_ROW(sx_unary_kernels)
                .row(
                    store->activation, sums + panel * pixels * 16, store->output + panel * store->panel_stride,
                    (int64_t)pixels * 16);
        return;
    }
    for (int panel = 0; store->residual && panel < panels; panel++) {
        const int lanes = panel + 1 < panels || store->pads_tail ? 16 : store->tail;
        const float *residual = store->residual + panel * store->panel_stride;
        float *sum = sums + panel * pixels * 16;
        for (int i = 0; i < pixels; i++, sum += 16, residual += store->pixel_stride)
            sx_vec_store(sum, sx_vec_load(sum) + sx_load_lanes(residual, lanes));
    }
    if (store->activation.op != SX_UNARY_IDENTITY)
        SX_ROW(sx_unary_kernels).row(store->activation, sums, sums, (int64_t)panels * pixels * 16);
    for (int panel = 0; panel < panels; panel++) {
        const int lanes = panel + 1 < panels ? 16 : store->tail;
        const float *sum = sums + panel * pixels * 16;
        float *output = store->output + panel * store->panel_stride;
        if (lanes == 16) {
            for (int i = 0; i < pixels; i++) sx_vec_store(output + i * store->pixel_stride, sx_vec_load(sum + i * 16));
        } else if (store->pads_tail) {
            const sx_ivec mask = sx_vec_first_mask(lanes);
            for (int i = 0; i < pixels; i++)
                sx_vec_store(
                    output + i * store->pixel_stride, sx_vec_select(mask, sx_vec_load(sum + i * 16), sx_vec_set(0.0f)));
        } else {
            for (int i = 0; i < pixels; i++)
                sx_vec_store_first(output + i * store->pixel_stride, sx_vec_load(sum + i * 16), lanes);
        }
    }
}

/// Stores the finished sums of a tile, `offset` floats behind the store's output. `panels` and `pixels` are constants
/// of the caller.
SX_INLINE void store_tile(
    const sx_conv_store *store, int64_t offset, sx_vec sum[][SX_CONV_MAX_PIXELS], const int panels, const int pixels) {
    if (!sx_conv_stores_vectors(store)) {
        float sums[panels * pixels * 16] __attribute__((aligned(64)));
#pragma unroll
        for (int p = 0; p < panels; p++)
#pragma unroll
            for (int i = 0; i < pixels; i++) sx_vec_store(sums + (p * pixels + i) * 16, sum[p][i]);
        const sx_conv_store moved = sx_conv_store_at(store, offset);
        finish_sums(&moved, panels, pixels, sums);
        return;
    }
    if (store->leaks) {
        const sx_vec slope = sx_vec_set(store->activation.a);
#pragma unroll
        for (int p = 0; p < panels; p++)
#pragma unroll
            for (int i = 0; i < pixels; i++) sum[p][i] = sx_vec_select(sum[p][i] < 0.0f, slope * sum[p][i], sum[p][i]);
    }
    const sx_vec low = sx_vec_set(store->low), high = sx_vec_set(store->high);
#pragma unroll
    for (int p = 0; p < panels; p++) {
        float *output = store->output + offset + p * store->panel_stride;
        const float *residual = store->residual ? store->residual + offset + p * store->panel_stride : NULL;
#pragma unroll
        for (int i = 0; i < pixels; i++) {
            sx_vec v = sum[p][i];
            if (residual) v += sx_vec_load(residual + i * store->pixel_stride);
            sx_vec_store(output + i * store->pixel_stride, sx_vec_at_most(sx_vec_at_least(v, low), high));
        }
    }
}
