#include "../base/sizes.h"
#include "algorithms.h"
#include "sx_parallel.h"
#include "winograd.h"

enum { PACK_CHANNELS = 16 };  // input channels of one chunk

int64_t sx_winograd_packed_floats(const sx_conv_shape *s) {
    int64_t padded = sx_blocks(s->k) * SX_BLOCK, floats;
    if (__builtin_mul_overflow(padded, s->c, &floats) ||
        __builtin_mul_overflow(floats, (int64_t)SX_WINOGRAD_POSITIONS, &floats) ||
        __builtin_add_overflow(floats, padded, &floats))
        return -1;
    return floats;
}

typedef struct {
    const sx_conv_shape *shape;
    const float *weights;
    float *packed;
    int64_t channel_chunks;
} pack_job;

/// G g of the three vectors g, for 16 output channels.
static void transform(const double g[3][SX_BLOCK], double out[6][SX_BLOCK]) {
    const double a = SX_WINOGRAD_A, b = SX_WINOGRAD_B, a2 = a * a, b2 = b * b;
    const double at_zero = 1.0 / (a2 * b2), at_a = 0.5 / (a2 * (a2 - b2)), at_b = 0.5 / (b2 * (b2 - a2));
    for (int o = 0; o < SX_BLOCK; o++) {
        double even_a = at_a * (g[0][o] + a2 * g[2][o]), odd_a = at_a * a * g[1][o];
        double even_b = at_b * (g[0][o] + b2 * g[2][o]), odd_b = at_b * b * g[1][o];
        out[0][o] = at_zero * g[0][o];
        out[1][o] = even_a + odd_a;
        out[2][o] = even_a - odd_a;
        out[3][o] = even_b + odd_b;
        out[4][o] = even_b - odd_b;
        out[5][o] = g[2][o];
    }
}

/// The filters of one input channel for 16 output channels from `k`: out[position stride + o].
static void pack_filters(const sx_conv_shape *s, const float *weights, int64_t k, int64_t c, float *out, int64_t stride) {
    double g[3][3][SX_BLOCK] = {{{0}}}, half[3][6][SX_BLOCK], across[6][3][SX_BLOCK], u[6][SX_BLOCK];
    for (int64_t o = 0; o < sx_min(SX_BLOCK, s->k - k); o++)
        for (int tap = 0; tap < 9; tap++) g[tap % 3][tap / 3][o] = weights[((k + o) * s->c + c) * 9 + tap];
    for (int column = 0; column < 3; column++) {
        transform(g[column], half[column]);
        for (int row = 0; row < 6; row++)
            for (int o = 0; o < SX_BLOCK; o++) across[row][column][o] = half[column][row][o];
    }
    for (int row = 0; row < 6; row++) {
        transform(across[row], u);
        for (int column = 0; column < 6; column++, out += stride)
            for (int o = 0; o < SX_BLOCK; o++) out[o] = (float)u[column][o];
    }
}

static void pack_chunk(void *context, int64_t chunk, int worker) {
    (void)worker;
    const pack_job *job = context;
    const sx_conv_shape *s = job->shape;
    int64_t slice = chunk / job->channel_chunks, first = chunk % job->channel_chunks * PACK_CHANNELS;
    int64_t panels = sx_min(SX_WINOGRAD_PANELS, sx_blocks(s->k) - slice * SX_WINOGRAD_PANELS);
    float *out = job->packed + slice * SX_WINOGRAD_POSITIONS * s->c * SX_WINOGRAD_SLICE;
    for (int64_t c = first; c < sx_min(first + PACK_CHANNELS, s->c); c++)
        for (int64_t panel = 0; panel < panels; panel++)
            pack_filters(
                s, job->weights, slice * SX_WINOGRAD_SLICE + panel * SX_BLOCK, c,
                out + (c * panels + panel) * SX_BLOCK, s->c * panels * SX_BLOCK);
}

void sx_winograd_pack(const sx_conv_shape *s, const float *weights, const float *bias, float *packed, int threads) {
    pack_job job = {s, weights, sx_conv_pack_bias(s, bias, packed), sx_ceil_div(s->c, PACK_CHANNELS)};
    sx_parallel_for(
        threads, sx_ceil_div(sx_blocks(s->k), SX_WINOGRAD_PANELS) * job.channel_chunks, pack_chunk, &job);
}
