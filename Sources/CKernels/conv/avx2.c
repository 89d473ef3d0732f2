#if defined(__x86_64__)
#include "../base/row_avx2.h"
#include "tile_body.h"

// A panel is two registers: 12 sums, two weights and a broadcast of the 16.
static void dense(const sx_conv_tile *t) {
    switch (t->panels * 32 + t->pixels) {
        SX_DENSE(1, 1) SX_DENSE(1, 2) SX_DENSE(1, 3) SX_DENSE(1, 4) SX_DENSE(1, 5) SX_DENSE(1, 6)
    }
}

static void depthwise(const sx_conv_tile *t) {
    switch (t->pixels) {
        SX_DEPTHWISE(1) SX_DEPTHWISE(2) SX_DEPTHWISE(3) SX_DEPTHWISE(4) SX_DEPTHWISE(5) SX_DEPTHWISE(6)
    }
}

const sx_conv_kernels SX_ROW(sx_conv_kernels) = {
    .dense = dense, .depthwise = depthwise, .dense_pixels = {6, 0, 0, 0}, .depthwise_pixels = 6};
#include "../base/row_end.h"
#endif
