#include "conv_kernels.h"

#include "sx_layout.h"

static void finish_panel(const sx_conv_store *store, int panel, int lanes, int pixels, float *sums) {
    int64_t offset = panel * store->panel_stride;
    if (store->residual)
        for (int pixel = 0; pixel < pixels; pixel++) {
            const float *residual = store->residual + offset + pixel * store->pixel_stride;
            for (int lane = 0; lane < lanes; lane++)
                sums[pixel * SX_BLOCK + lane] += residual[lane * store->lane_stride];
        }
    sx_unary(store->activation, sums, sums, (int64_t)pixels * SX_BLOCK, 1);
    for (int pixel = 0; pixel < pixels; pixel++) {
        float *output = store->output + offset + pixel * store->pixel_stride;
        for (int lane = 0; lane < lanes; lane++) output[lane * store->lane_stride] = sums[pixel * SX_BLOCK + lane];
        if (store->pads_tail)
            for (int lane = lanes; lane < SX_BLOCK; lane++) output[lane] = 0.0f;
    }
}

void sx_conv_finish(const sx_conv_store *store, int panels, int pixels, float *sums) {
    for (int panel = 0; panel < panels; panel++)
        finish_panel(
            store, panel, panel + 1 == panels ? store->tail : SX_BLOCK, pixels, sums + panel * pixels * SX_BLOCK);
}
