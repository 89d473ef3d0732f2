#include "conv_kernels.h"

#include "sx_layout.h"

void sx_conv_finish(const sx_conv_tile *tile, float *sums) {
    int64_t count = (int64_t)tile->pixels * SX_BLOCK;
    for (int panel = 0; panel < tile->panels; panel++) {
        int lanes = panel + 1 == tile->panels ? tile->tail : SX_BLOCK;
        float *panel_sums = sums + panel * count;
        if (tile->residual)
            for (int pixel = 0; pixel < tile->pixels; pixel++) {
                const float *residual =
                    tile->residual + panel * tile->output_panel_stride + pixel * tile->output_pixel_stride;
                for (int lane = 0; lane < lanes; lane++) panel_sums[pixel * SX_BLOCK + lane] += residual[lane];
            }
        sx_unary(tile->activation, panel_sums, panel_sums, count, 1);
        for (int pixel = 0; pixel < tile->pixels; pixel++) {
            float *output = tile->output + panel * tile->output_panel_stride + pixel * tile->output_pixel_stride;
            for (int lane = 0; lane < lanes; lane++) output[lane] = panel_sums[pixel * SX_BLOCK + lane];
            if (tile->pads_tail)
                for (int lane = lanes; lane < SX_BLOCK; lane++) output[lane] = 0.0f;
        }
    }
}
