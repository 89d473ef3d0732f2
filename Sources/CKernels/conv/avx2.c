#if defined(__x86_64__)
#include "../base/row_avx2.h"
#include "tile_body.h"

enum { WINOGRAD_TILES = 6 };
#include "winograd_body.h"

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

// The sums of one panel fill the registers: a slice of two is gone through twice.
static void winograd_group(
    const sx_winograd_product *p, const float *v, const float *u, float *m, const float *ahead, int64_t step, int tiles) {
    const int64_t stride = 16 * p->panels;
    for (int panel = 0; panel < p->panels; panel++, u += 16, m += 16) {
        switch (tiles) {
            case 1: winograd_tile(p, v, u, m, ahead, step, stride, 1, 1); break;
            case 2: winograd_tile(p, v, u, m, ahead, step, stride, 1, 2); break;
            case 3: winograd_tile(p, v, u, m, ahead, step, stride, 1, 3); break;
            case 4: winograd_tile(p, v, u, m, ahead, step, stride, 1, 4); break;
            case 5: winograd_tile(p, v, u, m, ahead, step, stride, 1, 5); break;
            case 6: winograd_tile(p, v, u, m, ahead, step, stride, 1, 6); break;
        }
    }
}

const sx_conv_kernels SX_ROW(sx_conv_kernels) = {
    .dense = dense,
    .depthwise = depthwise,
    .dense_pixels = {6, 0, 0, 0},
    .winograd_input = winograd_input,
    .winograd_product = winograd_product,
    .winograd_output = winograd_output,
};
#include "../base/row_end.h"
#endif
