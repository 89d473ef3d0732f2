#include <math.h>

#include "../base/sizes.h"
#include "winograd.h"

// The model's unit is the time of one multiply-add at the peak rate of a core.
static const double GEMM_RATE = 0.85, DIRECT_RATE = 0.85;  // of the peak, inside the loops
static const double FLOATS_TIME = 22;       // one float of weights from memory that all cores share: 15 GB/s each
static const double TRANSFORM_TIME = 4400;  // either transform of one tile of 16 channels, with its memory traffic

/// Whether the transformed products, or the stream of their weights, and the transforms take less than direct sums.
static bool pays(const sx_conv_shape *s) {
    double tiles = (double)s->n * (double)sx_ceil_div(s->oh, SX_WINOGRAD_OUT) *
                   (double)sx_ceil_div(s->ow, SX_WINOGRAD_OUT);
    double in = (double)(sx_blocks(s->c) * SX_BLOCK), out = (double)(sx_blocks(s->k) * SX_BLOCK), pairs = in * out;
    double products = SX_WINOGRAD_POSITIONS * pairs * fmax(tiles / GEMM_RATE, FLOATS_TIME);
    double winograd = products + TRANSFORM_TIME * tiles * (in + out) / SX_BLOCK;
    double direct = 9 * pairs * fmax((double)s->n * (double)s->oh * (double)s->ow / DIRECT_RATE, FLOATS_TIME);
    return winograd < direct;
}

bool sx_winograd_suits(const sx_conv_shape *s) {
    return s->kh == 3 && s->kw == 3 && s->stride_h == 1 && s->stride_w == 1 && s->dilation_h == 1 &&
           s->dilation_w == 1 && s->groups == 1 && s->input_layout == SX_LAYOUT_BLOCKED16 && pays(s);
}
