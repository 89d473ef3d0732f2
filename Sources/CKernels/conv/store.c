#include "store.h"

#include <math.h>

static void set_strides(sx_conv_store *store, const sx_conv_shape *s, int64_t *batch_stride) {
    int64_t pixels = s->oh * s->ow;
    store->lane_stride = 1;
    switch (s->output_layout) {
        case SX_LAYOUT_BLOCKED16:
            store->pixel_stride = SX_BLOCK;
            store->panel_stride = pixels * SX_BLOCK;
            *batch_stride = sx_blocks(s->k) * pixels * SX_BLOCK;
            break;
        case SX_LAYOUT_NHWC:
            store->pixel_stride = s->output_pixel_stride ? s->output_pixel_stride : s->k;
            store->panel_stride = SX_BLOCK;
            *batch_stride = pixels * store->pixel_stride;
            break;
        case SX_LAYOUT_PLAIN:
            store->pixel_stride = 1;
            store->panel_stride = pixels * SX_BLOCK;
            store->lane_stride = pixels;
            *batch_stride = s->k * pixels;
            break;
    }
    if (s->output_batch_stride) *batch_stride = s->output_batch_stride;
}

sx_conv_store sx_conv_store_of(
    const sx_conv_shape *s, const sx_conv_epilogue *epilogue, float *y, int64_t *batch_stride) {
    sx_activation f = epilogue->activation;
    sx_conv_store store = {
        .residual = epilogue->residual,
        .output = y,
        .tail = (int)(s->k - (sx_blocks(s->k) - 1) * SX_BLOCK),
        .pads_tail = s->output_layout == SX_LAYOUT_BLOCKED16,
        .clips = f.op == SX_UNARY_IDENTITY || f.op == SX_UNARY_RELU || f.op == SX_UNARY_CLIP,
        .leaks = f.op == SX_UNARY_LEAKY_RELU,
        .low = f.op == SX_UNARY_RELU ? 0.0f : f.op == SX_UNARY_CLIP ? f.a : -INFINITY,
        .high = f.op == SX_UNARY_CLIP ? f.b : INFINITY,
        .activation = f,
    };
    set_strides(&store, s, batch_stride);
    return store;
}
