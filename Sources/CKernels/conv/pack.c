#include <string.h>

#include "algorithms.h"
#include "conv_geometry.h"
#include "sx_parallel.h"

// Packed direct weights: bias [panels 16], then [panel][block][row][column][lane][16 output channels].

int64_t sx_conv_direct_packed_floats(const sx_conv_shape *s) {
    int64_t factors[] = {sx_conv_panel_blocks(s), sx_conv_lanes(s), s->kh, s->kw};
    int64_t floats = sx_blocks(s->k) * SX_BLOCK;
    for (int i = 0; i < 4; i++)
        if (__builtin_mul_overflow(floats, factors[i], &floats)) return -1;
    return __builtin_add_overflow(floats, sx_blocks(s->k) * SX_BLOCK, &floats) ? -1 : floats;
}

typedef struct {
    const sx_conv_shape *shape;
    const float *weights;
    float *packed;
} pack_job;

/// One panel, block by block: what is written stays in L1 while 16 rows of weights are spread over it.
static void pack_direct_panel(void *context, int64_t panel, int worker) {
    (void)worker;
    const pack_job *job = context;
    const sx_conv_shape *s = job->shape;
    int64_t lanes = sx_conv_lanes(s), blocks = sx_conv_panel_blocks(s), first = sx_conv_first_block(s, panel, blocks);
    int64_t group_channels = s->c / s->groups, taps = s->kh * s->kw, block_floats = taps * lanes * SX_BLOCK;
    float *out = job->packed + panel * blocks * block_floats;
    for (int64_t block = 0; block < blocks; block++, out += block_floats) {
        memset(out, 0, (size_t)block_floats * sizeof(float));
        for (int64_t o = 0; o < SX_BLOCK && panel * SX_BLOCK + o < s->k; o++) {
            int64_t k = panel * SX_BLOCK + o, begin = sx_conv_group_of(s, k) * group_channels;
            int64_t channel = (first + block) * lanes - begin;  // of the group, in lane 0
            int64_t row = (k * group_channels + channel) * taps, lane_end = sx_min(lanes, group_channels - channel);
            for (int64_t lane = sx_max(0, -channel); lane < lane_end; lane++)
                for (int64_t tap = 0; tap < taps; tap++)
                    out[(tap * lanes + lane) * SX_BLOCK + o] = job->weights[row + lane * taps + tap];
        }
    }
}

void sx_conv_direct_pack(
    const sx_conv_shape *s, const float *weights, const float *bias, float *packed, int threads) {
    pack_job job = {s, weights, sx_conv_pack_bias(s, bias, packed)};
    sx_parallel_for(threads, sx_blocks(s->k), pack_direct_panel, &job);
}
