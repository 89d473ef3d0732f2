#if defined(__x86_64__)
#include "../base/row_avx2.h"

enum { TILE_UNROLL = 16 };
#include "tile_body.h"

enum { WINOGRAD_TILES = 6, WINOGRAD_PANELS = 1, WINOGRAD_UNROLL = 8, WINOGRAD_FETCHES_LANES = false };
#include "winograd_body.h"

/// Blocked pixels side by side are the common case; then all strides are constants.
SX_INLINE void dense_panels(const sx_conv_tile *t, const int panels, const int pixels) {
    if (t->tap_offsets)
        dense_tiles(t, 0, 1, panels, pixels);
    else if (t->pixel_offsets)
        dense_tiles(t, 0, 16, panels, pixels);
    else if (t->lanes == 16 && t->pixel_stride == 16)
        dense_tiles(t, 16, 16, panels, pixels);
    else if (t->lanes == 16)
        dense_tiles(t, t->pixel_stride, 16, panels, pixels);
    else
        dense_tiles(t, t->pixel_stride, t->lanes, panels, pixels);
}

// A panel is two registers: 12 sums, two weights and a broadcast of the 16.
static void dense(const sx_conv_tile *t) {
    switch (t->panels * 32 + t->pixels) {
        SX_DENSE(1, 1) SX_DENSE(1, 2) SX_DENSE(1, 3) SX_DENSE(1, 4) SX_DENSE(1, 5) SX_DENSE(1, 6)
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
