#if defined(__x86_64__)
#include "../base/row_avx512.h"

enum { TILE_UNROLL = 4 };
#include "tile_body.h"

enum { WINOGRAD_TILES = 14, WINOGRAD_PANELS = 2, WINOGRAD_UNROLL = 4, WINOGRAD_FETCHES_LANES = true };
#include "winograd_body.h"

/// Blocked pixels side by side are the common case; with another stride, more addresses are needed than registers.
SX_INLINE void dense_panels(const sx_conv_tile *run, const int panels, const int pixels) {
    if (run->lanes == 16 && run->pixel_stride == 16) {
        dense_tiles(run, 16, 16, panels, pixels);
        return;
    }
    sx_conv_tile tile = *run;
    for (int64_t left = run->count; left > 0; left--) {
        dense_tile(&tile, panels, pixels);
        sx_conv_next_tile(&tile);
    }
}

// 28 sums, two weights and a broadcast fill the 32 registers; 64 channels by 6 pixels suits rows too short for 14.
static void dense(const sx_conv_tile *t) {
    switch (t->panels * 32 + t->pixels) {
        SX_DENSE(1, 1) SX_DENSE(1, 2) SX_DENSE(1, 3) SX_DENSE(1, 4) SX_DENSE(1, 5) SX_DENSE(1, 6) SX_DENSE(1, 7)
        SX_DENSE(1, 8) SX_DENSE(1, 9) SX_DENSE(1, 10) SX_DENSE(1, 11) SX_DENSE(1, 12) SX_DENSE(1, 13) SX_DENSE(1, 14)
        SX_DENSE(2, 1) SX_DENSE(2, 2) SX_DENSE(2, 3) SX_DENSE(2, 4) SX_DENSE(2, 5) SX_DENSE(2, 6) SX_DENSE(2, 7)
        SX_DENSE(2, 8) SX_DENSE(2, 9) SX_DENSE(2, 10) SX_DENSE(2, 11) SX_DENSE(2, 12) SX_DENSE(2, 13) SX_DENSE(2, 14)
        SX_DENSE(3, 1) SX_DENSE(3, 2) SX_DENSE(3, 3) SX_DENSE(3, 4) SX_DENSE(3, 5) SX_DENSE(3, 6)
        SX_DENSE(4, 1) SX_DENSE(4, 2) SX_DENSE(4, 3) SX_DENSE(4, 4) SX_DENSE(4, 5) SX_DENSE(4, 6)
    }
}

enum { DEPTHWISE_PIXELS = 14 };
#include "depthwise_body.h"

SX_INLINE void depthwise_tiles(
    const sx_conv_depthwise_row *t, int64_t pixel, const int width, const int stride, int64_t pixels) {
    switch (pixels) {
        SX_DEPTHWISE(1) SX_DEPTHWISE(2) SX_DEPTHWISE(3) SX_DEPTHWISE(4) SX_DEPTHWISE(5) SX_DEPTHWISE(6)
        SX_DEPTHWISE(7) SX_DEPTHWISE(8) SX_DEPTHWISE(9) SX_DEPTHWISE(10) SX_DEPTHWISE(11) SX_DEPTHWISE(12)
        SX_DEPTHWISE(13) SX_DEPTHWISE(14)
    }
}

static void winograd_group(
    const sx_winograd_product *p, const float *v, const float *u, float *m, const float *ahead, int64_t step, int tiles) {
    switch (p->panels * 32 + tiles) {
        SX_WINOGRAD_GROUP(1, 1) SX_WINOGRAD_GROUP(1, 2) SX_WINOGRAD_GROUP(1, 3) SX_WINOGRAD_GROUP(1, 4)
        SX_WINOGRAD_GROUP(1, 5) SX_WINOGRAD_GROUP(1, 6) SX_WINOGRAD_GROUP(1, 7) SX_WINOGRAD_GROUP(1, 8)
        SX_WINOGRAD_GROUP(1, 9) SX_WINOGRAD_GROUP(1, 10) SX_WINOGRAD_GROUP(1, 11)
        SX_WINOGRAD_GROUP(1, 12) SX_WINOGRAD_GROUP(1, 13) SX_WINOGRAD_GROUP(1, 14)
        SX_WINOGRAD_GROUP(2, 1) SX_WINOGRAD_GROUP(2, 2) SX_WINOGRAD_GROUP(2, 3) SX_WINOGRAD_GROUP(2, 4)
        SX_WINOGRAD_GROUP(2, 5) SX_WINOGRAD_GROUP(2, 6) SX_WINOGRAD_GROUP(2, 7) SX_WINOGRAD_GROUP(2, 8)
        SX_WINOGRAD_GROUP(2, 9) SX_WINOGRAD_GROUP(2, 10) SX_WINOGRAD_GROUP(2, 11)
        SX_WINOGRAD_GROUP(2, 12) SX_WINOGRAD_GROUP(2, 13) SX_WINOGRAD_GROUP(2, 14)
    }
}

const sx_conv_kernels SX_ROW(sx_conv_kernels) = {
    .dense = dense,
    .depthwise = depthwise,
    .dense_pixels = {14, 14, 6, 6},
    .winograd_input = winograd_input,
    .winograd_product = winograd_product,
    .winograd_output = winograd_output,
};
#include "../base/row_end.h"
#endif
