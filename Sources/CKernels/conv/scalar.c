#include "conv_kernels.h"

#include <string.h>

#include "winograd.h"

// The oracle of the vector rows: plain loops, product and sum rounded apart.

enum { PIXELS = 4, PANELS = 2 };

static void begin(const sx_conv_tile *t, float *sums) {
    for (int panel = 0; panel < t->panels; panel++)
        for (int pixel = 0; pixel < t->pixels; pixel++)
            memcpy(
                sums + (panel * t->pixels + pixel) * 16,
                t->first ? t->bias + panel * 16 : t->partial + panel * t->partial_panel_stride + pixel * 16,
                16 * sizeof(float));
}

static void end(const sx_conv_tile *t, float *sums) {
    if (t->last) {
        sx_conv_finish(&t->store, t->panels, t->pixels, sums);
        return;
    }
    for (int panel = 0; panel < t->panels; panel++)
        memcpy(
            t->partial + panel * t->partial_panel_stride, sums + panel * t->pixels * 16,
            (size_t)t->pixels * 16 * sizeof(float));
}

static void dense_one(const sx_conv_tile *t) {
    float sums[PANELS * PIXELS * 16];
    begin(t, sums);
    for (int64_t block = 0; block < t->blocks; block++)
        for (int64_t row = 0; row < t->rows; row++)
            for (int64_t column = 0; column < t->columns; column++)
                for (int64_t lane = 0; lane < t->lanes; lane++) {
                    const float *input = t->input + block * t->block_stride + row * t->row_stride +
                                         column * t->column_stride + lane;
                    const float *weights = t->weights + block * t->weights_block_stride +
                                           row * t->weights_row_stride + (column * t->lanes + lane) * 16;
                    for (int i = 0; i < t->panels * t->pixels; i++)
                        for (int o = 0; o < 16; o++)
                            sums[i * 16 + o] += input[i % t->pixels * t->pixel_stride] *
                                                weights[i / t->pixels * t->weights_panel_stride + o];
                }
    end(t, sums);
}

static void dense(const sx_conv_tile *run) {
    sx_conv_tile tile = *run;
    for (int64_t left = run->count; left > 0; left--) {
        dense_one(&tile);
        sx_conv_next_tile(&tile);
    }
}

static void depthwise(const sx_conv_depthwise_row *t) {
    for (int64_t pixel = 0; pixel < t->pixels; pixel++) {
        float sums[16];
        memcpy(sums, t->bias, sizeof sums);
        for (int64_t row = 0; row < t->rows; row++)
            for (int64_t column = 0; column < t->columns; column++) {
                int64_t x = t->first_column + pixel * t->stride + column * t->dilation;
                if (x < 0 || x >= t->input_columns) continue;
                const float *input = t->input + row * t->row_stride + x * 16;
                const float *weights = t->weights + (row * t->columns + column) * 16;
                for (int o = 0; o < 16; o++) sums[o] += input[o] * weights[o];
            }
        const sx_conv_store store = sx_conv_store_at(&t->store, pixel * t->store.pixel_stride);
        sx_conv_finish(&store, 1, 1, sums);
    }
}

const sx_conv_kernels sx_conv_kernels_scalar = {
    .dense = dense,
    .depthwise = depthwise,
    .dense_pixels = {PIXELS, PIXELS, 0, 0},
    .winograd_input = sx_winograd_input_scalar,
    .winograd_product = sx_winograd_product_scalar,
    .winograd_output = sx_winograd_output_scalar,
};
